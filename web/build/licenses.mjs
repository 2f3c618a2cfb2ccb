// Writes dist/licenses.txt: whose work the built page contains, with the texts
// that their licences ask to be passed on.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

// For packages that name a licence and do not bring its text.
const known = {
  "BSD-3-Clause": `Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following disclaimer in the documentation and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`,
  MIT: `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

const byText = new Map(); // text of a licence -> the packages under it
const add = (title, text) => byText.set(text, [...(byText.get(text) ?? []), title]);
const seen = new Set();

function look(name) {
  const folder = `${root}node_modules/${name}`;
  if (seen.has(name) || !existsSync(folder)) {
    return;
  }
  seen.add(name);
  const about = read(`${folder}/package.json`);
  const file = readdirSync(folder).find((f) => /^(licen[cs]e|copying)/i.test(f));
  const author = typeof about.author === "string" ? about.author : (about.author?.name ?? `the authors of ${name}`);
  const text = file ? readFileSync(`${folder}/${file}`, "utf8").trim() : `Copyright (c) ${author}\n\n${known[about.license] ?? ""}`;
  if (!file && !known[about.license]) {
    throw new Error(`${name} brings no licence, and the text of ${about.license} is not known here`);
  }
  add(`${name} ${about.version}`, text);
  Object.keys(about.dependencies ?? {}).forEach(look);
}

Object.keys(read(`${root}package.json`).dependencies).forEach(look);
look("@pixi/unsafe-eval");
// Compiled into Annotorious, and so not among its packages.
add("svelte", `Copyright (c) 2016-2024 Svelte contributors (https://github.com/sveltejs/svelte/graphs/contributors)\n\n${known.MIT}`);

const parts = [...byText].map(([text, names]) => `${names.sort().join("\n")}\n\n${text}\n`).sort();
writeFileSync(`${root}dist/licenses.txt`, parts.join(`\n${"-".repeat(72)}\n\n`));
