import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.ts";

export default defineConfig({
  plugins: [precompress()],
  // Every asset is a file of its own: the Content-Security-Policy allows scripts and workers from 'self' only.
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8080", "/console-config.json": "http://127.0.0.1:8080" } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
