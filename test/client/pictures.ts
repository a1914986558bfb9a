import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import {
  needProgram,
  programFile,
  pythonPackages,
  readText,
  request,
  run,
  start,
  startCli,
  startHttp,
  startTestRelay,
  useScope,
  type Running,
  type Site,
} from "@porthole/testing/end-to-end";

/**
 * `npm run pictures` makes the pictures of command line and inspector in docs/images from the real programs. Look at them before
 * you commit. The editor's moving picture has a command of its own.
 */
const images = join(import.meta.dirname, "../../docs/images");
const columns = 92;
const clearedLine = "\u001b[K";
/** Draws what a terminal shows; kept by Textualize, and needed by nothing else. */
const drawer = { rich: "14.2.0", "markdown-it-py": "4.0.0", mdurl: "0.1.2", pygments: "2.19.2" };

/** Without fonts from the network: a picture of the README must load nothing. */
const draw = `
import re, sys
from rich.console import Console
from rich.text import Text
console = Console(record=True, width=int(sys.argv[1]), file=open("/dev/null", "w"), force_terminal=True, color_system="truecolor")
console.print(Text.from_ansi(sys.stdin.read()))
svg = console.export_svg(title=sys.argv[2], unique_id="terminal")
svg = re.sub(r"@font-face \\{[^}]*\\}", "", svg).replace("Fira Code", "ui-monospace, Menlo, Consolas")
print("\\n".join(line.rstrip() for line in svg.splitlines() if line.strip()))
`;

describe("Pictures", function () {
  this.timeout(600_000);
  const scope = useScope();

  /** Starts a command as a person does who types it, in a terminal. */
  function type(words: readonly string[], home: string): Running {
    const command = [process.execPath, "--conditions=source", programFile("client"), ...words].join(" ");
    const env = { PATH: process.env["PATH"], HOME: home, TERM: "xterm-256color" };
    return start(scope, "script", ["-qfec", `stty cols ${columns} rows 24; exec ${command}`, "/dev/null"], { env });
  }

  async function drawTerminal(file: string, title: string, lines: readonly string[]): Promise<void> {
    // Without the line that shows that something is still going on, and without the places where it was taken away.
    const text = lines.filter((line) => !/[\u2800-\u28ff]/.test(line) && line !== clearedLine).join("\n");
    const input = join(await scope.folder(), "terminal.txt");
    await writeFile(input, text);
    const env = { ...process.env, PYTHONPATH: await pythonPackages(drawer) };
    const words = ["-c", `exec python3 -c "$0" "$1" "$2" < "$3"`, draw, String(columns), title, input];
    const { code, stdout, stderr } = await run("sh", words, { env });
    if (code !== 0) throw new Error(stderr);
    await mkdir(images, { recursive: true });
    await writeFile(join(images, file), stdout);
  }

  async function visitor(url: string, stateDir: string): Promise<(path: string, body?: string) => Promise<void>> {
    const { hostname, port, origin } = new URL(url);
    const caPath = join(stateDir, "primary-self-signed.pem");
    const site: Site = { hostname, port: Number(port), origin, caPath, ca: await readFile(caPath, "utf8") };
    return async (path, body) => {
      await readText((await request(site, path, body === undefined ? {} : { method: "POST", body })).body);
    };
  }

  it("shows the client and the inspector", async function () {
    for (const program of ["script", "chromium", "python3"]) needProgram(this, program);
    const relay = await startTestRelay(scope, { args: ["--domain-suffix", "tunnel.example.com", "--open"] });
    const service = await startHttp(scope, (incoming, response) => {
      void readText(incoming).then(() => {
        response.statusCode = incoming.url === "/missing" ? 404 : 200;
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify({ received: true, path: incoming.url }));
      });
    });
    const home = await scope.folder();
    const words = [String(service.port), "--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", home, "--no-acme"];
    const client = type(words, home);
    const url = /https:[\w./:-]+/.exec(await client.line(/https:\/\/[a-z2-7]{26}\./))?.[0] ?? "";
    await client.line(/online/i);
    const visit = await visitor(url, home);
    await visit("/");
    await visit("/api/users?page=2");
    await visit("/hooks/payment", JSON.stringify({ id: "evt_1", type: "payment.succeeded", amount: 4200 }));
    await visit("/missing");
    await client.line(/\/missing/);

    const inspect = startCli(scope, "client", ["inspect", "--web", "--state-dir", home]);
    const address = await inspect.line(/^http:\/\/127\.0\.0\.1:\d+\/#/);
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    scope.defer(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1_000, height: 440 } });
    await page.goto(address);
    await page.getByText("/hooks/payment").first().click();
    await page.getByRole("heading", { name: "POST /hooks/payment" }).waitFor();
    await page.screenshot({ path: join(images, "inspector.png") });

    const shown = client.lines.map((line) =>
      line
        .replaceAll(`:${service.port}`, ":3000")
        .replaceAll(`:${relay.publicPort}`, "")
        .replaceAll(`127.0.0.1:${relay.apiPort}`, "tunnel.example.com"),
    );
    await drawTerminal("cli.svg", "porthole 3000", shown);
    await inspect.kill("SIGINT");
  });
});
