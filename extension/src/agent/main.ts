import { dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic, quicAvailability } from "@porthole/common/link/quic";
import { runAgent, takeStdio, type StartTrialRelay } from "@porthole/common/rpc/agent";
import { systemClock } from "@porthole/common/util";

/** The process that runs the tunnels: does what the extension says on its standard input, and ends with it. */

/** Loaded only by who tries it out. */
const startTrialRelay: StartTrialRelay = async (...args) => (await import("./trial-relay.ts")).startTrialRelay(...args);

const streams = takeStdio();
const quic = quicAvailability();
const dialers = {
  http2: dialHttp2,
  quic: quic.available ? ({ available: true, dial: dialQuic } as const) : quic,
};
// The window's end is the end of the input; a signal that was meant for a whole group of processes comes before it.
process.on("SIGINT", () => {});
await runAgent(streams, { dialers, clock: systemClock, startTrialRelay }, new AbortController().signal);
streams.input.destroy();
