import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import type { Plugin } from "vite";

const TEXTS = new Set([".html", ".js", ".css", ".svg", ".ttf"]);
/** Below this a packet is as good. */
const WORTH_IT = 1024;

/** Leaves `x.br` and `x.gz` beside every `x`, so that the server compresses nothing while people wait. */
export function precompress(): Plugin {
  let root = "";
  return {
    name: "precompress",
    apply: "build",
    configResolved(config) {
      root = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const found = await readdir(root, { recursive: true, withFileTypes: true });
      const files = found.filter((entry) => entry.isFile() && TEXTS.has(extname(entry.name)));
      await Promise.all(files.map((entry) => compress(join(entry.parentPath, entry.name))));
    },
  };
}

async function compress(file: string): Promise<void> {
  const content = await readFile(file);
  if (content.length < WORTH_IT) return;
  await Promise.all([
    promisify(brotliCompress)(content).then((packed) => writeFile(`${file}.br`, packed)),
    promisify(gzip)(content, { level: 9 }).then((packed) => writeFile(`${file}.gz`, packed)),
  ]);
}
