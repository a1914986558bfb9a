export { fakeRequest, type FakeRequest } from "./access-request.ts";
export { startFakeDns, type FakeDns } from "./fake-dns.ts";
export { beginExchange, requestHead, tellExchange, type ToldExchange } from "./exchange.ts";
export { asNobody } from "./as-nobody.ts";
export { FakeClock } from "./fake-clock.ts";
export { linkCompliance, type ComplianceOptions, type LinkPair } from "./link-compliance.ts";
export { platformReason, quicReason, skipUnless, type PlatformReason } from "./skip.ts";
export { cageNode, type CagedNode } from "./no-external-buffers.ts";
export { until } from "./until.ts";
