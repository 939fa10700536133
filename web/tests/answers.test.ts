import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const record = (answers: Record<string, unknown>) => {
  const holder = document.createElement("script");
  holder.id = "recorded";
  holder.type = "application/octet-stream";
  holder.textContent = gzipSync(JSON.stringify({ answers })).toString("base64");
  document.body.append(holder);
};

beforeEach(() => vi.resetModules());
afterEach(() => {
  document.getElementById("recorded")?.remove();
  vi.unstubAllGlobals();
});

describe("answers in the single file", () => {
  it("come from the file, in any script, and nothing is fetched", async () => {
    const fetched = vi.fn();
    vi.stubGlobal("fetch", fetched);
    record({ runs: [{ id: "r", title: "数学 ✓" }], "runs/a%2Fb%20c/overlay?facet=lang%26&value=ja%3D1": { lift: [1] } });
    const { api, recorded } = await import("../src/api");
    expect(recorded).toBe(true);
    expect(await api.runs()).toEqual([{ id: "r", title: "数学 ✓" }]);
    expect(await api.overlay("a/b c", "lang&", "ja=1")).toEqual({ lift: [1] });
    expect(fetched).not.toHaveBeenCalled();
  });

  it("say so when there is none of a kind, such as of windows of one's own", async () => {
    record({ runs: [] });
    const { api, Missing } = await import("../src/api");
    await expect(api.compare("r", "week", ["1"], ["2"])).rejects.toBeInstanceOf(Missing);
  });
});

describe("answers of the server", () => {
  it("are asked for beside the page, each once, every part of the path escaped", async () => {
    const fetched = vi.fn((_: string) => Promise.resolve(new Response("{}")));
    vi.stubGlobal("fetch", fetched);
    const { api, recorded } = await import("../src/api");
    expect(recorded).toBe(false);
    await Promise.all([api.compare("a/b", "wéek", ["x&y"], ["z", "w"]), api.compare("a/b", "wéek", ["x&y"], ["z", "w"])]);
    expect(fetched.mock.calls).toEqual([["./api/v1/runs/a%2Fb/compare?facet=w%C3%A9ek&a=x%26y&b=z&b=w"]]);
  });

  it("are asked for again after the server was away", async () => {
    const fetched = vi.fn((_: string) => Promise.resolve(new Response("", { status: 502 })));
    vi.stubGlobal("fetch", fetched);
    const { api, Missing } = await import("../src/api");
    await expect(api.runs()).rejects.toThrow("runs: 502");
    fetched.mockImplementation(() => Promise.resolve(new Response("[]")));
    expect(await api.runs()).toEqual([]);
    fetched.mockImplementation(() => Promise.resolve(new Response("", { status: 404 })));
    await expect(api.clusters("gone")).rejects.toBeInstanceOf(Missing);
  });
});
