import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const MADE_OF = ["index.html", "package-lock.json", "package.json", "public", "src", "vite.config.ts"];

/** A digest of all that the page is built of, with which a test tells, without Node, that the built page is of these sources. */
function sources(): string {
  const files = MADE_OF.flatMap((name) => (name.includes(".") ? [name] : readdirSync(name, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => `${one.parentPath}/${one.name}`)));
  const digest = createHash("sha256");
  for (const file of files.sort()) digest.update(`${file}\n`).update(createHash("sha256").update(readFileSync(file)).digest());
  return digest.digest("hex");
}

// fixed names and one module: the server and the single file both find them without a manifest
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/clio/explorer/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: false,
        entryFileNames: "app.js",
        postBanner: () => `/* sources ${sources()} */`,
        assetFileNames: (asset) => (asset.names.some((name) => name.endsWith(".css")) ? "app.css" : "[name][extname]"),
      },
    },
  },
  test: { environment: "happy-dom", include: ["tests/**/*.test.{ts,tsx}"] },
});
