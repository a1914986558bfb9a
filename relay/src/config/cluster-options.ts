import { defineOptions, hostPort, path, text } from "@porthole/common/options";
import { clusterName, engineServer, listenPort, peer } from "./parsers.ts";

/** How relays reach each other. */
export const peerOptions = defineOptions({
  "peer-port": {
    help: "Port for other relays of a cluster",
    parse: listenPort,
    defaultHelp: "not opened",
    advanced: true,
  },
  peer: {
    help: "Another relay of the cluster: its node key and its --peer-port",
    parse: peer,
    repeatable: true,
    defaultHelp: "none",
    advanced: true,
  },
  "peer-address": {
    help: "Where the other relays of the cluster reach this one",
    parse: hostPort(),
    placeholder: "HOST:PORT",
    defaultHelp: "the address of --peer-port",
    advanced: true,
  },
});

/** Options for the store of the records that all relays share, for the relay and its commands. */
export const engineOptions = defineOptions({
  cluster: {
    help: "NATS server that keeps what all relays know; several are allowed",
    parse: engineServer,
    repeatable: true,
    defaultHelp: "none: this relay's own files",
    advanced: true,
  },
  "cluster-name": {
    help: "Name of the cluster, where several share an engine",
    parse: clusterName,
    default: "porthole",
    advanced: true,
  },
  "cluster-secret": { help: "Secret of all relays of the cluster", parse: text, secret: true, advanced: true },
  "cluster-creds": { help: "File with the relay's user at the NATS servers", parse: path, advanced: true },
  "cluster-ca": { help: "CA of the NATS servers' certificates, PEM", parse: path, advanced: true },
});
