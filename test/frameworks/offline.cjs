// Loaded into every development server: whatever it would like to know from the internet, tests stay on this machine.
const dns = require("node:dns");

const { lookup } = dns;
dns.lookup = (hostname, ...rest) =>
  lookup(/(^|\.)localhost$|^[\d.:a-f]+$/i.test(hostname) ? hostname : "offline.invalid", ...rest);
