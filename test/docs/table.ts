/** All that the test of the documentation's commands knows about single ones. */

/** Blocks that can't run here, by page and first command, and why. One that is not there any more fails the test. */
export const notRun: Readonly<Record<string, string>> = {
  "README.md: npm install && npm test": "is what runs this test",
  "docs/background.md: mkdir -p ~/.config/systemd/user":
    "needs a user's own systemd; test/relay/hosting.test.ts checks the unit",
  "docs/background.md: url=$(porthole 3000 --detach --wait-for-url)":
    "needs a public authority's certificate; test/client/background.test.ts runs it with one of its own",
  "docs/certificates.md: porthole-relay --domain-suffix tunnel.example.com --acme-domain tunnel.example.com --acme-email you@example.com --authorized-keys keys.txt":
    "needs DNS and a public authority; test/certificates has an authority of its own",
  "docs/hosting.md: sudo apt install ./porthole-relay_*.deb":
    "test/release/release.test.ts installs the package on a copy of Debian",
  "docs/hosting.md: sudo npm install --global --prefix /usr/local @porthole/relay":
    "needs systemd and a user of its own; the Debian package does the same, and is tried",
  "docs/hosting.md: sudo runuser -u porthole-relay -- porthole-relay doctor --state-dir /var/lib/porthole-relay":
    "needs the user of the block before it",
  "docs/embedding.md: npm ci && npm run build && npm run release -- packages":
    "npm ci takes node_modules away from running tests; test/release installs what it makes",
  "docs/hosting.md: npm ci && npm run build && npm run release -- packages":
    "npm ci takes node_modules away from running tests; the release workflow and test/release take the same steps",
  "docs/hosting.md: cd docker": "needs a container engine; test/relay/hosting.test.ts runs the relay as its image does",
  "docs/operating.md: iptables -A INPUT -p tcp --syn -m multiport --dports 443,8443 -m hashlimit --hashlimit-name porthole --hashlimit-mode srcip --hashlimit-above 60/sec --hashlimit-burst 120 -j DROP":
    "changes the firewall of the machine",
  "docs/tcp.md: porthole connect app.tunnel.example.com 5432":
    "needs a public name on port 443; test/client/connect.test.ts runs it with names of its own",
};

/** What stands in a command for something that is not here, what the test puts in its place, and why; one after the other. */
export const substitutions: readonly (readonly [RegExp, string, string])[] = [
  [
    /^npm install && npm start$/,
    "npm start -- --api-port 0 --pub-port 0 --state-dir $HOME/demo",
    "everything is installed",
  ],
  [
    /^npm install --global (?:@porthole\/)?([\w-]+)$/,
    "command -v $1 || command -v porthole-relay",
    "test/release/release.test.ts installs it from a registry",
  ],
  [/^npx (?:--yes )?@porthole\/relay\b/, "porthole-relay", "the same"],
  [/^npx (porthole(?:-relay)?)\b/, "$1", "the checkout's command, as bundled in this run"],
  [
    /^porthole-relay setup$/,
    "porthole-relay setup --domain tunnel.example.com --no-acme --resolver $DNS $PORTS",
    "nobody types here, and the DNS is the test's",
  ],
  [/^porthole identity import /, "PORTHOLE_CLIENT_DIR=$HOME/other porthole identity import ", "the other machine"],
  [/^porthole join$/, "echo $INVITE | porthole join", "nobody pastes here"],
  [/'porthole:\/\/join\?[^']*'/, "$INVITE", "an invite of the test's relay"],
];

/** What runs before a block, as its page says in words. */
export const before: Readonly<Record<string, readonly string[]>> = {
  "docs/inspector.md: porthole inspect --web": ["porthole 3000"],
  "docs/guides/remote.md: porthole identity export --all everything.txt --passphrase-file passphrase.txt": [
    "echo correct horse battery staple > passphrase.txt",
    "porthole 3000 --detach",
    "porthole stop",
  ],
  "docs/tunnels.md: porthole ls": ["porthole web=3000 api=4000 --access-share"],
  "docs/tunnels.md: porthole init": [
    "porthole join 'porthole://join?relay=...'",
    `echo '{"devDependencies":{"vite":"7.0.0"}}' > package.json`,
  ],
  "docs/guides/webhooks.md: porthole 3000 --access-webhook stripe --access-webhook-secret-file stripe.secret --access-path '/hooks/*'":
    ["echo whsec_abcdefghijklmnopqrstuvwxyz012345 > stripe.secret"],
  "docs/guides/webhooks.md: porthole inspect": ["porthole 3000"],
};

/** Pages whose blocks run in `npm run test:full` alone: their commands are much the same as those of other pages. */
export const onlyFull = /^docs\/guides\//;

/** Ports in commands at which the test has a service; each becomes a free one. */
export const servicePorts = ["3000", "4000", "5173", "5432", "6379"] as const;

/** The line at which a command that runs on has done what it is for. The first that fits the command counts. */
export const readyLines: readonly (readonly [RegExp, RegExp])[] = [
  [/^npm start/, /^Checked: .* status 200/],
  [/^porthole-relay/, /Relay is ready/],
  [/^porthole inspect --web/, /^http:/],
  [/^porthole inspect$/, /\bGET\b/],
  [/^/, /^online\b|^\S+ +online\b/],
];

/** `ID` in a command is the newest that a command before it has printed in one of these places. */
export const ids: readonly RegExp[] = [/invite revoke (\w+)/g, /^ +(\w+) {2}(?:[\d:]{8} {2})?GET /gm];
