import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decode, HOME, type Place } from "../src/model/place";
import { linkTo, usePlace, type Go } from "../src/ui/address";

let place: Place;
let go: Go;
function Reader() {
  [place, go] = usePlace();
  return null;
}

const root = document.createElement("div");
const recorded = { push: vi.spyOn(history, "pushState"), replace: vi.spyOn(history, "replaceState") };
beforeEach(async () => {
  vi.useFakeTimers();
  await act(() => render(<Reader />, root));
  recorded.push.mockClear();
  recorded.replace.mockClear();
});
afterEach(() => {
  render(null, root);
  vi.useRealTimers();
});

describe("the address bar", () => {
  it("gets a history entry for a choice, and none when nothing changed", async () => {
    await act(() => go({ cluster: "1.2" }));
    expect(place.cluster).toBe("1.2");
    expect(recorded.push).toHaveBeenCalledTimes(1);
    await act(() => go({ cluster: "1.2" }));
    expect(recorded.push).toHaveBeenCalledTimes(1);
  });

  it("is rewritten once after the map came to rest, and keeps no words of a search", async () => {
    for (let i = 1; i < 9; i++) await act(() => go({ view: { x: i / 10, y: 0, z: 2 }, query: "private words" }, "replace"));
    expect(recorded.replace).not.toHaveBeenCalled();
    vi.advanceTimersByTime(260);
    expect(recorded.replace).toHaveBeenCalledTimes(1);
    expect(String(recorded.replace.mock.calls[0][2])).toContain("x=0.8");
    expect(String(recorded.replace.mock.calls[0][2])).not.toContain("private");
    expect(place.query).toBe("private words");
  });

  it("does not lose a movement that a choice follows at once", async () => {
    await act(() => go({ view: { x: 0.25, y: 0, z: 3 } }, "replace"));
    await act(() => go({ cluster: "2.1" }));
    vi.advanceTimersByTime(300);
    const last = decode(String(recorded.push.mock.calls[0][2]).split("?")[1]);
    expect([last.cluster, last.view.x]).toEqual(["2.1", 0.25]);
    expect(recorded.replace).not.toHaveBeenCalled();
  });

  it("goes on in a frame that may not change it", async () => {
    recorded.push.mockImplementationOnce(() => {
      throw new DOMException("not here", "SecurityError");
    });
    await act(() => go({ cluster: "9.9" }));
    expect(place.cluster).toBe("9.9");
  });

  it("is copied with the words of a search only if asked", () => {
    const here = { ...HOME, run: "r", query: "my words" };
    expect(linkTo(here, false)).not.toContain("words");
    expect(decode(linkTo(here, true).split("?")[1]).query).toBe("my words");
  });
});
