const repository = "https://github.com/porthole/porthole";

/** Fields that the Marketplace and other galleries show beside the README. They take at most 30 keywords. */
export const gallery = {
  categories: ["Other", "Testing", "Debuggers"],
  keywords: [
    ...["tunnel", "port forwarding", "localhost", "expose", "share", "public url", "webhook", "reverse proxy"],
    ...["self-hosted", "end-to-end encryption", "https", "quic", "http inspector", "request replay"],
    ...["ngrok alternative", "remote development", "dev container", "mcp"],
  ],
  galleryBanner: { color: "#12304a", theme: "dark" },
  homepage: `${repository}#readme`,
  repository: { type: "git", url: `git+${repository}.git` },
  bugs: { url: `${repository}/issues` },
  qna: `${repository}/discussions`,
} as const;
