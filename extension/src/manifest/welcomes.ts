/** Texts of empty views. The Ports view of a local window lists nothing by itself, so it has a button, too. */
export const welcomes = [
  { view: "porthole.endpoints", contents: "%welcome.first%", when: "!porthole.hasRelays" },
  { view: "~remote.forwardedPorts", contents: "%welcome.ports%" },
] as const;
