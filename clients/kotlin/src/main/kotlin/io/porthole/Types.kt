// Generated from tunnel/openrpc.json by `npm run docs`.

package io.porthole

import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonElement

@Serializable
class Empty

@Serializable
data class OfTunnel(
    val tunnel: String,
)

@Serializable
data class RelaySpec(
    /** `host` or `host:port`; 4433 when it has none. */
    val address: String,
    /** Trust exactly this key; otherwise a CA's certificate, or first use on loopback. */
    val fingerprint: String? = null,
    /** Trust any key: somebody in between can pose as the relay. */
    val insecure: Boolean? = null,
    /** One-time token of an invite: enrols the key that connects first. */
    val token: String? = null,
    /** What a person calls it. */
    val label: String? = null,
    /** Directory of the certificate authority for the names that it gives, as an invite says; a tunnel's own `acme` goes before it. */
    val certificateDirectory: String? = null,
)

@Serializable
data class IdentityRef(
    val pem: String? = null,
    val path: String? = null,
    val publicKey: String? = null,
)

@Serializable
data class TunnelSpecInspectKeep(
    val path: String,
    val key: String,
)

@Serializable
data class TunnelSpecInspect(
    val redact: List<String>? = null,
    val keep: TunnelSpecInspectKeep? = null,
)

@Serializable
data class TunnelSpecLease(
    val path: String,
    val holder: String,
)

@Serializable
data class TunnelSpec(
    val id: String,
    val primary: EndpointSpec,
    /** A second name with a self-signed certificate. */
    val secondary: EndpointSpec? = null,
    /** The remembered ones when absent. */
    val relays: List<RelaySpec>? = null,
    val suffix: String? = null,
    /** A friendly name instead of the client id, where the relay grants it. */
    val name: String? = null,
    val transport: String? = null,
    val poolSize: Long? = null,
    /** Whether visitors' HTTP is read: `auto` decides by what a visitor says. */
    val mode: String? = null,
    /** Whether the local service sees the public name or localhost; `auto` changes over when it refuses the name. */
    val headers: String? = null,
    /** Paths of the primary name that other local services answer. */
    val routes: List<RouteSpec>? = null,
    /** Visitors get a page that says so, and reach nothing. */
    val paused: Boolean? = null,
    /** Connections to local services begin with a PROXY protocol v2 header, which has the visitor's address. */
    val localProxyProtocol: Boolean? = null,
    /** PEM certificates of CAs that local https services may have theirs from, besides the public ones. No others are accepted then. */
    val localCa: String? = null,
    /** Any certificate of a local https service is accepted. */
    val localInsecure: Boolean? = null,
    /** Who may visit, of both endpoints; everybody when absent. */
    val access: AccessSpec? = null,
    /** Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields and parameters to take out besides those that always are. With `keep`, the end of the daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key` (32 bytes, base64). The next start takes them from there within ten minutes, and removes the file. `tunnel/stop` forgets them. */
    val inspect: TunnelSpecInspect? = null,
    /** A CA's certificate for the public name; asked for when absent. */
    val acme: AcmeSpec? = null,
    /** The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder, or none: the caller may hang, and can't say itself that another one has taken over. */
    val lease: TunnelSpecLease? = null,
)

@Serializable
data class TunnelChangesInspectKeep(
    val path: String,
    val key: String,
)

@Serializable
data class TunnelChangesInspect(
    val redact: List<String>? = null,
    val keep: TunnelChangesInspectKeep? = null,
)

@Serializable
data class TunnelChangesLease(
    val path: String,
    val holder: String,
)

@Serializable
data class TunnelChanges(
    val primary: EndpointChanges? = null,
    val secondary: EndpointChanges? = null,
    /** The remembered ones when absent. */
    val relays: List<RelaySpec>? = null,
    val suffix: String? = null,
    /** A friendly name instead of the client id, where the relay grants it. */
    val name: String? = null,
    val transport: String? = null,
    val poolSize: Long? = null,
    /** Whether visitors' HTTP is read: `auto` decides by what a visitor says. */
    val mode: String? = null,
    /** Whether the local service sees the public name or localhost; `auto` changes over when it refuses the name. */
    val headers: String? = null,
    /** Paths of the primary name that other local services answer. */
    val routes: List<RouteSpec>? = null,
    /** Visitors get a page that says so, and reach nothing. */
    val paused: Boolean? = null,
    /** Connections to local services begin with a PROXY protocol v2 header, which has the visitor's address. */
    val localProxyProtocol: Boolean? = null,
    /** PEM certificates of CAs that local https services may have theirs from, besides the public ones. No others are accepted then. */
    val localCa: String? = null,
    /** Any certificate of a local https service is accepted. */
    val localInsecure: Boolean? = null,
    /** Who may visit, of both endpoints; everybody when absent. */
    val access: AccessSpec? = null,
    /** Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields and parameters to take out besides those that always are. With `keep`, the end of the daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key` (32 bytes, base64). The next start takes them from there within ten minutes, and removes the file. `tunnel/stop` forgets them. */
    val inspect: TunnelChangesInspect? = null,
    /** A CA's certificate for the public name; asked for when absent. */
    val acme: AcmeSpec? = null,
    /** The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder, or none: the caller may hang, and can't say itself that another one has taken over. */
    val lease: TunnelChangesLease? = null,
)

@Serializable
data class EndpointSpec(
    val identity: IdentityRef,
    /** A port, host:port, or an http, https, h2c or tcp URL. */
    val local: String,
    /** The user's bytes in the certificate's custom extension. */
    val extensionHex: String? = null,
    /** Where the self-signed certificate is kept; in the state folder, by its client id, when absent. */
    val certificatePath: String? = null,
)

@Serializable
data class EndpointChanges(
    val identity: IdentityRef? = null,
    /** A port, host:port, or an http, https, h2c or tcp URL. */
    val local: String? = null,
    /** The user's bytes in the certificate's custom extension. */
    val extensionHex: String? = null,
    /** Where the self-signed certificate is kept; in the state folder, by its client id, when absent. */
    val certificatePath: String? = null,
)

@Serializable
data class RouteSpec(
    val path: String,
    val local: String,
)

@Serializable
data class AccessSpecWebhook(
    val scheme: String,
    val secrets: List<String>,
)

@Serializable
data class AccessSpec(
    /** `192.0.2.1`, `10.0.0.0/8`, and with `!` before it what is kept out. */
    val addresses: List<String>? = null,
    /** `/exact`, `/folder/&#42;`, and with `!` before it what is kept closed. */
    val paths: List<String>? = null,
    /** Milliseconds since 1970. */
    val endsAt: Double? = null,
    /** `user:password` each. */
    val users: List<String>? = null,
    val bearerTokens: List<String>? = null,
    /** Whether links of `access/share` let in. */
    val share: Boolean? = null,
    /** Senders of webhooks, by their signature: `github`, `stripe`, `hmac:HEADER` and others (docs/access.md). */
    val webhook: AccessSpecWebhook? = null,
)

@Serializable
data class AcmeSpec(
    val enabled: Boolean,
    val email: String? = null,
    val staging: Boolean? = null,
    /** Let's Encrypt when absent. */
    val directory: String? = null,
    /** Where accounts are kept; in the state folder when absent. */
    val accountsPath: String? = null,
    /** Where the first name's certificate is kept; in the state folder when absent. */
    val certificatePath: String? = null,
)

@Serializable
data class ReplayEditBody(
    val text: String? = null,
    val base64: String? = null,
)

@Serializable
data class ReplayEdit(
    val method: String? = null,
    /** Path and query. A parameter whose value is the mark keeps the recorded value. */
    val target: String? = null,
    /** The whole new list, in the visitor's terms or the local service's: those of the forwarded request. A value that is the mark keeps the recorded one of that name (the second mark of a name the second recorded value). Host stays when absent; Content-Length and hop-by-hop headers are set again. */
    val headers: List<Header>? = null,
    /** Must not contain the mark: to edit a body, ask for it unredacted. */
    val body: ReplayEditBody? = null,
)

@Serializable
data class InitializeResultQuic(
    val available: Boolean,
    val engine: String? = null,
    val why: String? = null,
    val reason: String? = null,
)

@Serializable
data class InitializeResult(
    val rpcVersion: Double,
    val version: String,
    val node: String,
    /** Whether this process can speak QUIC at all; without it HTTP/2 carries the traffic. */
    val quic: InitializeResultQuic,
)

@Serializable
data class Identity(
    /** First label of the public name. */
    val clientId: String,
    /** SHA-256 of the public key, as it is pinned. */
    val fingerprint: String,
)

@Serializable
data class IdentityWithPem(
    val clientId: String,
    val fingerprint: String,
    val pem: String,
)

@Serializable
data class ImportedIdentityIdentities(
    val name: String,
    val clientId: String,
    val fingerprint: String,
    val pem: String,
)

@Serializable
data class ImportedIdentity(
    val clientId: String,
    val fingerprint: String,
    val pem: String,
    /** The relays of a bundle; absent for a key by itself. */
    val relays: List<RelaySpec>? = null,
    /** Every key of a bundle, by name: `primary`, `tunnels/web`. */
    val identities: List<ImportedIdentityIdentities>? = null,
)

@Serializable
data class RelayResult(
    val relay: RelaySpec,
)

@Serializable
data class RelayTest(
    val quic: TransportTest,
    val http2: TransportTest,
    /** The key that the relay showed. */
    val fingerprint: String? = null,
)

@Serializable
data class TransportTest(
    val ok: Boolean,
    /** The time from the first packet to the admission. */
    val connectMs: Double? = null,
    /** Where the transport knows it by then. */
    val rttMs: Double? = null,
    val hostnames: List<String>? = null,
    val error: RpcErrorData? = null,
)

@Serializable
data class LogLine(
    val level: String,
    val message: String,
    /** Milliseconds since 1970. */
    val time: Double,
    val fields: Map<String, JsonElement>? = null,
    /** How many lines before it were dropped, because nobody read them in time. */
    val missed: Long? = null,
)

@Serializable
data class RpcErrorData(
    val code: String,
    val message: String,
    val hint: String? = null,
    val retryAfterMs: Double? = null,
    /** Trying again can help. */
    val retryable: Boolean,
)

@Serializable
data class TunnelInfo(
    val id: String,
    val state: TunnelStateView,
)

@Serializable
data class TunnelStateViewEnded(
    val error: RpcErrorData? = null,
)

@Serializable
data class TunnelStateView(
    val endpoints: List<EndpointView>,
    /** The tunnel is over, because every relay refused, or because it was stopped. */
    val ended: TunnelStateViewEnded? = null,
)

@Serializable
data class EndpointViewRelays(
    val address: String,
    val now: RelayStatusView,
)

@Serializable
data class EndpointView(
    val role: String,
    val clientId: String,
    /** Fingerprint of the key that visitors see. */
    val fingerprint: String,
    /** The local service, as the user wrote it. */
    val local: String,
    val gateway: GatewayState,
    val relays: List<EndpointViewRelays>,
    /** One for each public name. */
    val certificates: List<CertificateView>,
    /** False while connections to the local service are refused; absent before it has been looked at. */
    val localUp: Boolean? = null,
    /** Also those of relays that are away just now. */
    val urls: List<String>,
)

@Serializable
data class GatewayStateRoutes(
    val path: String,
    val service: String,
)

@Serializable
data class GatewayStateAdapted(
    val service: String,
    val server: String,
)

@Serializable
data class GatewayState(
    val mode: String,
    val headers: String,
    val routes: List<GatewayStateRoutes>,
    val paused: Boolean,
    /** Services that get localhost's headers because they refused the public name. */
    val adapted: List<GatewayStateAdapted>,
    /** The access rules. Absent when everybody may visit. */
    val access: AccessSummary? = null,
)

@Serializable
data class AccessSummary(
    /** Any one of them is enough; when there is none, nobody is asked. */
    val credentials: List<String>,
    /** As the user wrote them; empty for everybody. */
    val addresses: List<String>,
    val paths: List<String>,
    /** Milliseconds since 1970. */
    val endsAt: Double? = null,
)

@Serializable
data class RelayStatusView(
    val status: String,
    /** What carries new visitors. */
    val transport: String? = null,
    /** Why it is not QUIC; absent when it is, or when the user asked for HTTP/2. */
    val whyNotQuic: String? = null,
    /** When QUIC is tried again, in milliseconds since 1970; may be now. */
    val nextQuicTryAt: Double? = null,
    val links: Long? = null,
    val hostnames: List<String>? = null,
    val urls: List<String>? = null,
    val rttMs: Double? = null,
    /** Other processes with the same key that serve this name, too, on this machine or another; absent when there is none. */
    val otherProcesses: Long? = null,
    val delayMs: Double? = null,
    val error: RpcErrorData? = null,
    /** What else may help: "doctor" from the third failed attempt in a row on. */
    val hint: String? = null,
)

@Serializable
data class CertificateView(
    val hostname: String,
    /** SHA-256 of the certificate that visitors see at present, hex with colons. */
    val sha256: String,
    /** How many more new names the relay would have let us order for when it gave us the last quota. */
    val quotaLeft: Double? = null,
    val status: String,
    val phase: String? = null,
    val notAfter: Double? = null,
    val renewAt: Double? = null,
    val error: RpcErrorData? = null,
    val nextAttemptAt: Double? = null,
)

@Serializable
data class VisitView(
    val role: String,
    val address: String,
    val hostname: String,
    val traceId: String,
    val transport: String,
    /** Whether its bytes were read as HTTP. Absent when it did not come so far. */
    val mode: String? = null,
    val durationMs: Double,
    /** Plain bytes from the visitor and to the visitor. */
    val bytesIn: Long,
    val bytesOut: Long,
    val error: RpcErrorData? = null,
)

@Serializable
data class RequestView(
    val role: String,
    /** The visitor's. */
    val address: String,
    val hostname: String,
    val traceId: String,
    val method: String,
    /** The path without the query, which may hold secrets. */
    val path: String,
    /** 0 when the visitor left before it was answered. */
    val status: Long,
    val durationMs: Double,
    val error: RpcErrorData? = null,
)

@Serializable
data class HistoryEntry(
    val time: Double,
    val event: String,
    val state: TunnelStateView? = null,
    val visit: VisitView? = null,
    val request: RequestView? = null,
)

@Serializable
data class DoctorCheck(
    val id: String,
    /** The relay that it is about; absent for the local service. */
    val relay: String? = null,
    /** `failed`: something does not work until it is changed. `warning`: it works, and could be better, or can't be told from here. `skipped`: there was nothing to check, or something before it has to be mended first. */
    val status: String,
    /** The finding, as a sentence. */
    val finding: String,
    /** The fix, as a sentence. */
    val fix: String? = null,
)

@Serializable
data class ExchangeSummaryVisitor(
    val address: String,
    val port: Long? = null,
)

@Serializable
data class ExchangeSummaryError(
    val code: String,
    val message: String,
)

@Serializable
data class ExchangeSummary(
    val id: String,
    /** Ascending in the order of arrival. */
    val seq: Long,
    /** The kind of the exchange: `sse` once the response is text/event-stream, `upgrade` for another protocol than WebSocket. */
    val kind: String,
    /** `failed` when it ended with an error; what was recorded until then is there. */
    val state: String,
    val endpoint: String,
    val method: String,
    val scheme: String,
    val hostname: String,
    /** Path and query, redacted. */
    val target: String,
    val httpVersion: String,
    /** Absent until the response's head. */
    val status: Long? = null,
    /** The sender of the response: the local service, or the gateway with a page or a refusal of its own. */
    val answeredBy: String? = null,
    val startedAt: Double,
    /** The time from the request's head to the end; absent while open. */
    val durationMs: Double? = null,
    /** Bytes of the bodies so far, as they were on the wire; of an upgraded connection all bytes after the head. */
    val requestBytes: Long,
    val responseBytes: Long,
    /** Media types without parameters, in lower case. */
    val requestType: String? = null,
    val responseType: String? = null,
    val visitor: ExchangeSummaryVisitor,
    val traceId: String,
    /** WebSocket messages or server-sent events so far, those no longer kept included. */
    val messages: Long? = null,
    /** This is a replay of that one, which may be gone by now; `edited` when it was changed. */
    val replayOf: String? = null,
    val edited: Boolean? = null,
    val error: ExchangeSummaryError? = null,
)

@Serializable
data class ExchangeDetailRequestForwarded(
    val service: String,
    val method: String,
    val target: String,
    val headers: List<Header>,
)

@Serializable
data class ExchangeDetailRequest(
    val headers: List<Header>,
    val trailers: List<Header>,
    val body: BodyInfo,
    val forwarded: ExchangeDetailRequestForwarded? = null,
)

@Serializable
data class ExchangeDetailResponse(
    val status: Long,
    val statusText: String,
    val headers: List<Header>,
    val trailers: List<Header>,
    val body: BodyInfo,
)

@Serializable
data class ExchangeDetailReplay(
    val possible: Boolean,
    val why: String? = null,
)

@Serializable
data class ExchangeDetail(
    val summary: ExchangeSummary,
    /** The origin of the public URL, with its port: `https://name.example:8443`. */
    val origin: String,
    val timing: ExchangeTiming,
    /** QUIC, HTTP/2: what carried the visitor's connection. */
    val transport: String,
    val request: ExchangeDetailRequest,
    val response: ExchangeDetailResponse? = null,
    val replay: ExchangeDetailReplay,
    /** False when the caller asked for everything. */
    val redacted: Boolean,
)

@Serializable
data class ExchangeTiming(
    val startedAt: Double,
    /** The gateway has decided and passed the head on. Until here: access rules, reading a body to check its signature. */
    val forwardedMs: Double? = null,
    val requestEndMs: Double? = null,
    /** The response's head came from the local service. From `forwardedMs` to here: the local service. */
    val responseHeadMs: Double? = null,
    val responseEndMs: Double? = null,
    val endMs: Double? = null,
    /** Round trip between client and relay, once for each way of the visitor's bytes, where it is known. */
    val linkRttMs: Double? = null,
    /** The visitor's TLS handshake; the connection may have carried other requests before. */
    val handshakeMs: Double? = null,
)

@Serializable
data class Header(
    val name: String,
    val value: String,
    /** The value was taken out, as a whole or in part; the mark stands in its place. */
    val redacted: Boolean? = null,
)

@Serializable
data class BodyInfo(
    /** `truncated`: the bound was reached, only the beginning is kept. `open`: more may come. */
    val state: String,
    val bytes: Long,
    val keptBytes: Long,
    /** Content-Type and Content-Encoding as sent; empty when absent. */
    val contentType: String,
    val contentEncoding: String,
)

@Serializable
data class BodyView(
    val info: BodyInfo,
    /** How to show it. `html` is source text and must never be rendered. */
    val format: String,
    /** `damaged`: the coding is broken, or what it hides is too large; what could be decoded is given. `unknown`: a coding that is not known here; the bytes are given as they are. */
    val decoding: String,
    /** Bytes without content coding, of what is kept. Decoding stops at a bound of its own. */
    val decodedBytes: Long,
    val text: String? = null,
    val base64: String? = null,
    /** Position after what is given, when there is more. */
    val nextOffset: Long? = null,
    /** The names and values of a form, decoded. */
    val fields: List<Header>? = null,
    val redacted: Boolean,
)

@Serializable
data class MessageViewEvent(
    val name: String,
    val id: String? = null,
    val retryMs: Double? = null,
)

@Serializable
data class MessageView(
    /** Ascending from 1 within its exchange. */
    val seq: Long,
    val from: String,
    /** Milliseconds after the exchange's `startedAt`, at the message's last byte. */
    val atMs: Double,
    val type: String,
    /** Bytes of the payload, without framing and compression, fragments together. */
    val bytes: Long,
    /** Frames that a WebSocket message came in, when there were several. */
    val fragments: Long? = null,
    val compressed: Boolean? = null,
    /** The content of text, close (its reason), event (its data), and invalid (what is wrong). */
    val text: String? = null,
    /** The content of binary, ping and pong. */
    val base64: String? = null,
    /** Only the beginning is kept. */
    val truncated: Boolean? = null,
    val closeCode: Long? = null,
    /** The fields of a server-sent event. */
    val event: MessageViewEvent? = null,
    val redacted: Boolean,
)

@Serializable
data class InspectorStatus(
    val recording: Boolean,
    val exchanges: Long,
    val maxExchanges: Long,
    val bytes: Long,
    val maxBytes: Long,
    val maxBodyBytes: Long,
    /** Exchanges that gave way to newer ones, since the start. */
    val evicted: Long,
)

@Serializable
data class InspectorChanges(
    /** New rows and rows that changed, each once with its present state, in ascending `seq`. */
    val exchanges: List<ExchangeSummary>,
    /** Rows that are gone. */
    val removed: List<String>,
    val status: InspectorStatus,
)

@Serializable
data class ShareLink(
    val id: String,
    val label: String,
    val createdAt: Double,
    /** Milliseconds since 1970; absent for a link that holds until it is revoked. */
    val endsAt: Double? = null,
)

@Serializable
data class InitializeParamsClient(
    val name: String,
    val version: String,
)

@Serializable
data class InitializeParams(
    val rpcVersion: Double,
    /** Who calls, for the relay's log: `vscode/1.90.0`. */
    val client: InitializeParamsClient,
    /** Folder for certificates, pins and accounts; several daemons may share one. The platform's data folder when absent. A client that runs already keeps its own. */
    val stateDir: String? = null,
    /** The key that relays know the person by: it vouches for the tunnels' own identities, so that one invite is enough for all of them. Each tunnel's primary identity when absent. A client that runs already keeps its own. */
    val owner: IdentityRef? = null,
    /** The lowest level of the lines that this caller gets; `info` when absent. */
    val logLevel: String? = null,
)

@Serializable
data class TunnelStartParamsInspectKeep(
    val path: String,
    val key: String,
)

@Serializable
data class TunnelStartParamsInspect(
    val redact: List<String>? = null,
    val keep: TunnelStartParamsInspectKeep? = null,
)

@Serializable
data class TunnelStartParamsLease(
    val path: String,
    val holder: String,
)

@Serializable
data class TunnelStartParams(
    val id: String,
    val primary: EndpointSpec,
    /** A second name with a self-signed certificate. */
    val secondary: EndpointSpec? = null,
    /** The remembered ones when absent. */
    val relays: List<RelaySpec>? = null,
    val suffix: String? = null,
    /** A friendly name instead of the client id, where the relay grants it. */
    val name: String? = null,
    val transport: String? = null,
    val poolSize: Long? = null,
    /** Whether visitors' HTTP is read: `auto` decides by what a visitor says. */
    val mode: String? = null,
    /** Whether the local service sees the public name or localhost; `auto` changes over when it refuses the name. */
    val headers: String? = null,
    /** Paths of the primary name that other local services answer. */
    val routes: List<RouteSpec>? = null,
    /** Visitors get a page that says so, and reach nothing. */
    val paused: Boolean? = null,
    /** Connections to local services begin with a PROXY protocol v2 header, which has the visitor's address. */
    val localProxyProtocol: Boolean? = null,
    /** PEM certificates of CAs that local https services may have theirs from, besides the public ones. No others are accepted then. */
    val localCa: String? = null,
    /** Any certificate of a local https service is accepted. */
    val localInsecure: Boolean? = null,
    /** Who may visit, of both endpoints; everybody when absent. */
    val access: AccessSpec? = null,
    /** Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields and parameters to take out besides those that always are. With `keep`, the end of the daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key` (32 bytes, base64). The next start takes them from there within ten minutes, and removes the file. `tunnel/stop` forgets them. */
    val inspect: TunnelStartParamsInspect? = null,
    /** A CA's certificate for the public name; asked for when absent. */
    val acme: AcmeSpec? = null,
    /** The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder, or none: the caller may hang, and can't say itself that another one has taken over. */
    val lease: TunnelStartParamsLease? = null,
    /** Stops the tunnel when the connection that has started it ends, however that comes about. */
    val untilCallerLeaves: Boolean? = null,
)

@Serializable
data class TunnelStopParams(
    val id: String,
)

@Serializable
data class TunnelListResult(
    val tunnels: List<TunnelInfo>,
)

@Serializable
data class TunnelHistoryParams(
    val id: String,
    val limit: Long? = null,
)

@Serializable
data class TunnelHistoryResult(
    val entries: List<HistoryEntry>,
)

@Serializable
data class TunnelUpdateParams(
    val id: String,
    val changes: TunnelChanges,
)

@Serializable
data class DoctorParams(
    val tunnel: String? = null,
    val role: String? = null,
    val spec: TunnelSpec? = null,
)

@Serializable
data class DoctorResult(
    val checks: List<DoctorCheck>,
)

@Serializable
data class InspectListParamsFilter(
    val text: String,
)

@Serializable
data class InspectListParams(
    val tunnel: String,
    val filter: InspectListParamsFilter? = null,
    val before: Double? = null,
    val limit: Double? = null,
)

@Serializable
data class InspectListResult(
    val version: Long,
    val exchanges: List<ExchangeSummary>,
    val more: Boolean,
    val status: InspectorStatus,
)

@Serializable
data class InspectGetParams(
    val tunnel: String,
    val id: String,
    val unredacted: Boolean? = null,
)

@Serializable
data class InspectBodyParams(
    val tunnel: String,
    val id: String,
    val side: String,
    val unredacted: Boolean? = null,
    val offset: Long? = null,
    val limit: Long? = null,
)

@Serializable
data class InspectMessagesParams(
    val tunnel: String,
    val id: String,
    val after: Double? = null,
    val limit: Double? = null,
    val unredacted: Boolean? = null,
)

@Serializable
data class InspectMessagesResult(
    val messages: List<MessageView>,
    val firstKept: Long,
    val total: Long,
    val more: Boolean,
)

@Serializable
data class InspectReplayParams(
    val tunnel: String,
    val id: String,
    val edit: ReplayEdit? = null,
)

@Serializable
data class InspectReplayResult(
    val id: String,
)

@Serializable
data class InspectExportParamsFilter(
    val text: String,
)

@Serializable
data class InspectExportParams(
    val tunnel: String,
    val format: String,
    val ids: List<String>,
    val filter: InspectExportParamsFilter? = null,
    val unredacted: Boolean? = null,
    val to: String? = null,
)

@Serializable
data class InspectExportResult(
    val text: String,
    val mediaType: String,
    val fileName: String,
    val notes: List<String>,
)

@Serializable
data class InspectRecordParams(
    val tunnel: String,
    val recording: Boolean,
)

@Serializable
data class AccessShareParams(
    val tunnel: String,
    val label: String? = null,
    val forMs: Double? = null,
)

@Serializable
data class AccessShareResult(
    val link: ShareLink,
    val urls: List<String>,
)

@Serializable
data class AccessLinksResult(
    val links: List<ShareLink>,
)

@Serializable
data class AccessRevokeParams(
    val tunnel: String,
    val link: String,
)

@Serializable
data class IdentityImportParams(
    val pem: String,
    val passphrase: String? = null,
)

@Serializable
data class IdentityExportParams(
    val identity: IdentityRef,
    val passphrase: String? = null,
    val relays: List<RelaySpec>? = null,
)

@Serializable
data class IdentityExportResult(
    val pem: String,
)

@Serializable
data class IdentityFingerprintParams(
    val identity: IdentityRef,
)

@Serializable
data class IdentityProvideParams(
    val publicKey: String,
)

@Serializable
data class RelayListResult(
    val relays: List<RelaySpec>,
)

@Serializable
data class RelayAddParams(
    val relay: RelaySpec? = null,
    val invite: String? = null,
)

@Serializable
data class RelayRemoveParams(
    val address: String,
)

@Serializable
data class RelayParseInviteParams(
    val invite: String,
)

@Serializable
data class RelayTestParams(
    val relay: RelaySpec,
    val identity: IdentityRef? = null,
)

@Serializable
data class TrialRelayStartParams(
    val publicPort: Long? = null,
)

@Serializable
data class TrialRelayStartResult(
    val relay: RelaySpec,
    val publicPort: Long,
)

@Serializable
data class TunnelVisitNotification(
    val id: String,
    val visit: VisitView,
    val missed: Long? = null,
)

@Serializable
data class TunnelRequestNotification(
    val id: String,
    val request: RequestView,
    val missed: Long? = null,
)

@Serializable
data class InspectExchangeNotification(
    val id: String,
    val changes: InspectorChanges,
)

@Serializable
data class SignParams(
    /** First label of the public name. */
    val clientId: String,
    /** SHA-256 of the public key, as it is pinned. */
    val fingerprint: String,
    /** For ECDSA the signature is DER, or r and s behind one another. RSA has PKCS #1 v1.5 padding. */
    val algorithm: String,
    /** The bytes to sign, in base64. They are not hashed yet. */
    val data: String,
    /** Until when this machine may speak for the key, by this signature: milliseconds since 1970. */
    val validUntil: Long,
)

@Serializable
data class SignResult(
    /** In base64. */
    val signature: String,
)
