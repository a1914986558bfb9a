import { createHash } from "node:crypto";

/** Editors that run the extension, with the schemes of their links. */
const editors: readonly (readonly [name: string, scheme: string])[] = [
  ["VS Code", "vscode"],
  ["VS Code Insiders", "vscode-insiders"],
  ["VSCodium", "vscodium"],
  ["Cursor", "cursor"],
  ["Windsurf", "windsurf"],
  ["Kiro", "kiro"],
  ["Positron", "positron"],
  ["Trae", "trae"],
  ["Code – OSS", "code-oss"],
];

/**
 * The invite stands behind the `#`, which browsers send to nobody. The script writes it into links to programs of this machine and takes
 * it out of the address, so that it does not stay in the history. The policy forbids every request.
 */
const script = `"use strict";
(() => {
  const invite = location.hash.slice(1);
  const isWhole = /^[\\w.~%:@&=+-]{1,1900}$/.test(invite) && /(^|&)relay=/.test(invite) && /(^|&)token=/.test(invite);
  document.getElementById(isWhole ? "join" : "missing").hidden = false;
  if (!isWhole) return;
  history.replaceState(null, "", location.pathname);
  for (const link of document.querySelectorAll("a[data-scheme]"))
    link.href = link.dataset.scheme + "://porthole.porthole/join?" + invite;
  const text = "porthole://join?" + invite;
  document.getElementById("command").textContent = "porthole join '" + text + "'";
  document.getElementById("relay").textContent = new URLSearchParams(invite).get("relay");
  const copy = document.getElementById("copy");
  const done = document.getElementById("done");
  copy.addEventListener("click", () =>
    navigator.clipboard.writeText(text).then(
      () => { done.textContent = "Copied."; },
      () => { done.textContent = "The browser does not allow it. Copy it from the command below."; },
    ),
  );
})();`;

const style = `body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.6rem}ul{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;list-style:none}
a,button{display:inline-block;padding:.4rem .9rem;border:1px solid #4a6785;border-radius:.4rem;color:inherit;background:none;font:inherit;text-decoration:none;cursor:pointer}
a:hover,button:hover{background:#e6edf5}a:focus-visible,button:focus-visible{outline:3px solid #2f6fb0}
pre{overflow-wrap:anywhere;white-space:pre-wrap;padding:.6rem;border:1px solid #9aa9b8;border-radius:.4rem}
@media(prefers-color-scheme:dark){body{color:#dde5ee;background:#12181f}a:hover,button:hover{background:#24303c}}`;

export const joinPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>Join a Porthole relay</title>
<style>${style}</style>
<main>
<h1>Join a Porthole relay</h1>
<noscript><p>This page needs JavaScript to read the invite. Without it, copy the whole address of this page and paste it
into <b>Porthole: Join a Relay…</b> in your editor.</p></noscript>
<section id="missing" hidden>
<p>There is no invite in this address, or a part of it is missing. Copy the whole link again, or ask for a new one.</p>
</section>
<section id="join" hidden>
<p>You are invited to <b id="relay"></b>. Open the invite in your editor, with the Porthole extension installed:</p>
<ul>
${editors.map(([name, scheme]) => `<li><a data-scheme="${scheme}" rel="noreferrer">${name}</a></li>`).join("\n")}
</ul>
<p>For another editor, or one that runs in a browser, copy the invite and paste it into <b>Porthole: Join a Relay…</b></p>
<p><button id="copy" type="button">Copy the invite</button> <span id="done" role="status"></span></p>
<p>On a command line:</p>
<pre id="command" tabindex="0"></pre>
<p>The invite is for you. It never leaves this page except to the program that you choose.</p>
</section>
</main>
<script>${script}</script>
</html>
`;

/** Lets the page run its own script and nothing else, and ask for nothing. */
export const joinPagePolicy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
