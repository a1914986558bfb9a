/** What empty views say. The Ports view of a local window lists nothing by itself: there, too, one button leads to us. */
export const welcomes = [
  { view: "porthole.endpoints", contents: "%welcome.first%", when: "!porthole.hasRelays" },
  { view: "~remote.forwardedPorts", contents: "%welcome.ports%" },
] as const;
