"""Generated from tunnel/openrpc.json by `npm run docs`. Field names are those of the wire."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Literal, TypedDict, Union, overload


class Empty(TypedDict):
    pass


class OfTunnel(TypedDict):
    tunnel: str


class _RelaySpecRequired(TypedDict):
    #: `host` or `host:port`; 4433 when it has none.
    address: str


class RelaySpec(_RelaySpecRequired, total=False):
    #: Trust exactly this key; otherwise a CA's certificate, or first use on loopback.
    fingerprint: str
    #: Trust any key: somebody in between can pose as the relay.
    insecure: bool
    #: One-time token of an invite: enrols the key that connects first.
    token: str
    #: What a person calls it.
    label: str
    #: Directory of the certificate authority for the names that it gives, as an invite says; a
    #: tunnel's own `acme` goes before it.
    certificateDirectory: str


class IdentityRefPem(TypedDict):
    pem: str


class IdentityRefPath(TypedDict):
    path: str


class IdentityRefPublicKey(TypedDict):
    publicKey: str


class TunnelSpecInspectKeep(TypedDict):
    path: str
    key: str


class TunnelSpecInspect(TypedDict, total=False):
    redact: List[str]
    keep: TunnelSpecInspectKeep


class TunnelSpecLease(TypedDict):
    path: str
    holder: str


class _TunnelSpecRequired(TypedDict):
    id: str
    primary: EndpointSpec


class TunnelSpec(_TunnelSpecRequired, total=False):
    #: A second name with a self-signed certificate.
    secondary: EndpointSpec
    #: The remembered ones when absent.
    relays: List[RelaySpec]
    suffix: str
    #: A friendly name instead of the client id, where the relay grants it.
    name: str
    transport: Literal["auto", "quic", "h2"]
    poolSize: int
    #: Whether visitors' HTTP is read: `auto` decides by what a visitor says.
    mode: Literal["auto", "http", "tcp"]
    #: Whether the local service sees the public name or localhost; `auto` changes over when it
    #: refuses the name.
    headers: Literal["auto", "transparent", "localhost"]
    #: Paths of the primary name that other local services answer.
    routes: List[RouteSpec]
    #: Visitors get a page that says so, and reach nothing.
    paused: bool
    #: Connections to local services begin with a PROXY protocol v2 header, which has the
    #: visitor's address.
    localProxyProtocol: bool
    #: PEM certificates of CAs that local https services may have theirs from, besides the public
    #: ones. No others are accepted then.
    localCa: str
    #: Any certificate of a local https service is accepted.
    localInsecure: bool
    #: Who may visit, of both endpoints; everybody when absent.
    access: AccessSpec
    #: Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields
    #: and parameters to take out besides those that always are. With `keep`, the end of the
    #: daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key` (32
    #: bytes, base64). The next start takes them from there within ten minutes, and removes the
    #: file. `tunnel/stop` forgets them.
    inspect: TunnelSpecInspect
    #: A CA's certificate for the public name; asked for when absent.
    acme: AcmeSpec
    #: The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder,
    #: or none: the caller may hang, and can't say itself that another one has taken over.
    lease: TunnelSpecLease


class TunnelChangesInspectKeep(TypedDict):
    path: str
    key: str


class TunnelChangesInspect(TypedDict, total=False):
    redact: List[str]
    keep: TunnelChangesInspectKeep


class TunnelChangesLeasePath(TypedDict):
    path: str
    holder: str


class TunnelChanges(TypedDict, total=False):
    primary: EndpointChanges
    secondary: Union[EndpointChanges, None]
    #: The remembered ones when absent.
    relays: Union[List[RelaySpec], None]
    suffix: Union[str, None]
    #: A friendly name instead of the client id, where the relay grants it.
    name: Union[str, None]
    transport: Union[Literal["auto", "quic", "h2"], None]
    poolSize: Union[int, None]
    #: Whether visitors' HTTP is read: `auto` decides by what a visitor says.
    mode: Union[Literal["auto", "http", "tcp"], None]
    #: Whether the local service sees the public name or localhost; `auto` changes over when it
    #: refuses the name.
    headers: Union[Literal["auto", "transparent", "localhost"], None]
    #: Paths of the primary name that other local services answer.
    routes: Union[List[RouteSpec], None]
    #: Visitors get a page that says so, and reach nothing.
    paused: Union[bool, None]
    #: Connections to local services begin with a PROXY protocol v2 header, which has the
    #: visitor's address.
    localProxyProtocol: Union[bool, None]
    #: PEM certificates of CAs that local https services may have theirs from, besides the public
    #: ones. No others are accepted then.
    localCa: Union[str, None]
    #: Any certificate of a local https service is accepted.
    localInsecure: Union[bool, None]
    #: Who may visit, of both endpoints; everybody when absent.
    access: Union[AccessSpec, None]
    #: Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields
    #: and parameters to take out besides those that always are. With `keep`, the end of the
    #: daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key` (32
    #: bytes, base64). The next start takes them from there within ten minutes, and removes the
    #: file. `tunnel/stop` forgets them.
    inspect: Union[TunnelChangesInspect, None]
    #: A CA's certificate for the public name; asked for when absent.
    acme: Union[AcmeSpec, None]
    #: The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder,
    #: or none: the caller may hang, and can't say itself that another one has taken over.
    lease: Union[TunnelChangesLeasePath, None]


class _EndpointSpecRequired(TypedDict):
    identity: IdentityRef
    #: A port, host:port, or an http, https, h2c or tcp URL.
    local: str


class EndpointSpec(_EndpointSpecRequired, total=False):
    #: The user's bytes in the certificate's custom extension.
    extensionHex: str
    #: Where the self-signed certificate is kept; in the state folder, by its client id, when
    #: absent.
    certificatePath: str


class EndpointChanges(TypedDict, total=False):
    identity: IdentityRef
    #: A port, host:port, or an http, https, h2c or tcp URL.
    local: str
    #: The user's bytes in the certificate's custom extension.
    extensionHex: str
    #: Where the self-signed certificate is kept; in the state folder, by its client id, when
    #: absent.
    certificatePath: str


class RouteSpec(TypedDict):
    path: str
    local: str


class AccessSpecWebhook(TypedDict):
    scheme: str
    secrets: List[str]


class AccessSpec(TypedDict, total=False):
    #: `192.0.2.1`, `10.0.0.0/8`, and with `!` before it what is kept out.
    addresses: List[str]
    #: `/exact`, `/folder/*`, and with `!` before it what is kept closed.
    paths: List[str]
    #: Milliseconds since 1970.
    endsAt: float
    #: `user:password` each.
    users: List[str]
    bearerTokens: List[str]
    #: Whether links of `access/share` let in.
    share: bool
    #: Senders of webhooks, by their signature: `github`, `stripe`, `hmac:HEADER` and others
    #: (docs/access.md).
    webhook: AccessSpecWebhook


class _AcmeSpecRequired(TypedDict):
    enabled: bool


class AcmeSpec(_AcmeSpecRequired, total=False):
    email: str
    staging: bool
    #: Let's Encrypt when absent.
    directory: str
    #: Where accounts are kept; in the state folder when absent.
    accountsPath: str
    #: Where the first name's certificate is kept; in the state folder when absent.
    certificatePath: str


class ReplayEditBodyText(TypedDict):
    text: str


class ReplayEditBodyBase64(TypedDict):
    base64: str


class ReplayEdit(TypedDict, total=False):
    method: str
    #: Path and query. A parameter whose value is the mark keeps the recorded value.
    target: str
    #: The whole new list, in the visitor's terms or the local service's: those of the forwarded
    #: request. A value that is the mark keeps the recorded one of that name (the second mark of a
    #: name the second recorded value). Host stays when absent; Content-Length and hop-by-hop
    #: headers are set again.
    headers: List[Header]
    #: Must not contain the mark: to edit a body, ask for it unredacted.
    body: Union[ReplayEditBodyText, ReplayEditBodyBase64]


class _InitializeResultQuicYesRequired(TypedDict):
    available: Literal[True]


class InitializeResultQuicYes(_InitializeResultQuicYesRequired, total=False):
    engine: str
    why: str


class InitializeResultQuicNo(TypedDict):
    available: Literal[False]
    reason: str


class InitializeResult(TypedDict):
    rpcVersion: float
    version: str
    node: str
    #: Whether this process can speak QUIC at all; without it HTTP/2 carries the traffic.
    quic: Union[InitializeResultQuicYes, InitializeResultQuicNo]


class Identity(TypedDict):
    #: First label of the public name.
    clientId: str
    #: SHA-256 of the public key, as it is pinned.
    fingerprint: str


class IdentityWithPem(TypedDict):
    clientId: str
    fingerprint: str
    pem: str


class ImportedIdentityIdentities(TypedDict):
    name: str
    clientId: str
    fingerprint: str
    pem: str


class _ImportedIdentityRequired(TypedDict):
    clientId: str
    fingerprint: str
    pem: str


class ImportedIdentity(_ImportedIdentityRequired, total=False):
    #: The relays of a bundle; absent for a key by itself.
    relays: List[RelaySpec]
    #: Every key of a bundle, by name: `primary`, `tunnels/web`.
    identities: List[ImportedIdentityIdentities]


class RelayResult(TypedDict):
    relay: RelaySpec


class _RelayTestRequired(TypedDict):
    quic: TransportTest
    http2: TransportTest


class RelayTest(_RelayTestRequired, total=False):
    #: The key that the relay showed.
    fingerprint: str


class _TransportTestYesRequired(TypedDict):
    ok: Literal[True]
    #: The time from the first packet to the admission.
    connectMs: float
    hostnames: List[str]


class TransportTestYes(_TransportTestYesRequired, total=False):
    #: Where the transport knows it by then.
    rttMs: float


class TransportTestNo(TypedDict):
    ok: Literal[False]
    error: RpcErrorData


class _LogLineRequired(TypedDict):
    level: Literal["debug", "info", "warn", "error"]
    message: str
    #: Milliseconds since 1970.
    time: float


class LogLine(_LogLineRequired, total=False):
    fields: Dict[str, Union[str, float, bool]]
    #: How many lines before it were dropped, because nobody read them in time.
    missed: int


class _RpcErrorDataRequired(TypedDict):
    code: str
    message: str
    #: Trying again can help.
    retryable: bool


class RpcErrorData(_RpcErrorDataRequired, total=False):
    hint: str
    retryAfterMs: float


class TunnelInfo(TypedDict):
    id: str
    state: TunnelStateView


class TunnelStateViewEnded(TypedDict, total=False):
    error: RpcErrorData


class _TunnelStateViewRequired(TypedDict):
    endpoints: List[EndpointView]


class TunnelStateView(_TunnelStateViewRequired, total=False):
    #: The tunnel is over, because every relay refused, or because it was stopped.
    ended: TunnelStateViewEnded


class EndpointViewRelays(TypedDict):
    address: str
    now: RelayStatusView


class _EndpointViewRequired(TypedDict):
    role: Literal["primary", "secondary"]
    clientId: str
    #: Fingerprint of the key that visitors see.
    fingerprint: str
    #: The local service, as the user wrote it.
    local: str
    gateway: GatewayState
    relays: List[EndpointViewRelays]
    #: One for each public name.
    certificates: List[CertificateView]
    #: Also those of relays that are away just now.
    urls: List[str]


class EndpointView(_EndpointViewRequired, total=False):
    #: False while connections to the local service are refused; absent before it has been looked
    #: at.
    localUp: bool


class GatewayStateRoutes(TypedDict):
    path: str
    service: str


class GatewayStateAdapted(TypedDict):
    service: str
    server: str


class _GatewayStateRequired(TypedDict):
    mode: Literal["auto", "http", "tcp"]
    headers: Literal["auto", "transparent", "localhost"]
    routes: List[GatewayStateRoutes]
    paused: bool
    #: Services that get localhost's headers because they refused the public name.
    adapted: List[GatewayStateAdapted]


class GatewayState(_GatewayStateRequired, total=False):
    #: The access rules. Absent when everybody may visit.
    access: AccessSummary


class _AccessSummaryRequired(TypedDict):
    #: Any one of them is enough; when there is none, nobody is asked.
    credentials: List[str]
    #: As the user wrote them; empty for everybody.
    addresses: List[str]
    paths: List[str]


class AccessSummary(_AccessSummaryRequired, total=False):
    #: Milliseconds since 1970.
    endsAt: float


class RelayStatusViewConnecting(TypedDict):
    status: Literal["connecting"]


class _RelayStatusViewOnlineRequired(TypedDict):
    status: Literal["online"]
    #: What carries new visitors.
    transport: Literal["http2", "quic"]
    links: int
    hostnames: List[str]
    urls: List[str]


class RelayStatusViewOnline(_RelayStatusViewOnlineRequired, total=False):
    #: Why it is not QUIC; absent when it is, or when the user asked for HTTP/2.
    whyNotQuic: str
    #: When QUIC is tried again, in milliseconds since 1970; may be now.
    nextQuicTryAt: float
    rttMs: float
    #: Other processes with the same key that serve this name, too, on this machine or another;
    #: absent when there is none.
    otherProcesses: int


class _RelayStatusViewWaitingRequired(TypedDict):
    status: Literal["waiting"]
    delayMs: float
    error: RpcErrorData


class RelayStatusViewWaiting(_RelayStatusViewWaitingRequired, total=False):
    #: What else may help: "doctor" from the third failed attempt in a row on.
    hint: Literal["doctor"]


class RelayStatusViewFailed(TypedDict):
    status: Literal["failed"]
    error: RpcErrorData


class RelayStatusViewStopped(TypedDict):
    status: Literal["stopped"]


class _CertificateViewSelfSignedRequired(TypedDict):
    hostname: str
    #: SHA-256 of the certificate that visitors see at present, hex with colons.
    sha256: str
    status: Literal["self-signed"]


class CertificateViewSelfSigned(_CertificateViewSelfSignedRequired, total=False):
    #: How many more new names the relay would have let us order for when it gave us the last
    #: quota.
    quotaLeft: float


class _CertificateViewPendingRequired(TypedDict):
    hostname: str
    #: SHA-256 of the certificate that visitors see at present, hex with colons.
    sha256: str
    status: Literal["pending"]
    phase: Literal["waiting", "ordering"]


class CertificateViewPending(_CertificateViewPendingRequired, total=False):
    #: How many more new names the relay would have let us order for when it gave us the last
    #: quota.
    quotaLeft: float


class _CertificateViewValidRequired(TypedDict):
    hostname: str
    #: SHA-256 of the certificate that visitors see at present, hex with colons.
    sha256: str
    status: Literal["valid"]
    notAfter: float
    renewAt: float


class CertificateViewValid(_CertificateViewValidRequired, total=False):
    #: How many more new names the relay would have let us order for when it gave us the last
    #: quota.
    quotaLeft: float


class _CertificateViewRenewingRequired(TypedDict):
    hostname: str
    #: SHA-256 of the certificate that visitors see at present, hex with colons.
    sha256: str
    status: Literal["renewing"]
    notAfter: float
    phase: Literal["waiting", "ordering"]


class CertificateViewRenewing(_CertificateViewRenewingRequired, total=False):
    #: How many more new names the relay would have let us order for when it gave us the last
    #: quota.
    quotaLeft: float


class _CertificateViewFailedRequired(TypedDict):
    hostname: str
    #: SHA-256 of the certificate that visitors see at present, hex with colons.
    sha256: str
    status: Literal["failed"]
    error: RpcErrorData


class CertificateViewFailed(_CertificateViewFailedRequired, total=False):
    #: How many more new names the relay would have let us order for when it gave us the last
    #: quota.
    quotaLeft: float
    notAfter: float
    nextAttemptAt: float


class _VisitViewRequired(TypedDict):
    role: Literal["primary", "secondary"]
    address: str
    hostname: str
    traceId: str
    transport: Literal["http2", "quic"]
    durationMs: float
    #: Plain bytes from the visitor and to the visitor.
    bytesIn: int
    bytesOut: int


class VisitView(_VisitViewRequired, total=False):
    #: Whether its bytes were read as HTTP. Absent when it did not come so far.
    mode: Literal["http", "tcp"]
    error: RpcErrorData


class _RequestViewRequired(TypedDict):
    role: Literal["primary", "secondary"]
    #: The visitor's.
    address: str
    hostname: str
    traceId: str
    method: str
    #: The path without the query, which may hold secrets.
    path: str
    #: 0 when the visitor left before it was answered.
    status: int
    durationMs: float


class RequestView(_RequestViewRequired, total=False):
    error: RpcErrorData


class HistoryEntryState(TypedDict):
    time: float
    event: Literal["state"]
    state: TunnelStateView


class HistoryEntryVisit(TypedDict):
    time: float
    event: Literal["visit"]
    visit: VisitView


class HistoryEntryRequest(TypedDict):
    time: float
    event: Literal["request"]
    request: RequestView


class _DoctorCheckRequired(TypedDict):
    id: Literal["local-port", "relay-dns", "relay-tcp", "relay-udp", "relay-trust", "relay-admission", "name-dns", "certificate", "whole-path"]
    #: `failed`: something does not work until it is changed. `warning`: it works, and could be
    #: better, or can't be told from here. `skipped`: there was nothing to check, or something
    #: before it has to be mended first.
    status: Literal["ok", "warning", "failed", "skipped"]
    #: The finding, as a sentence.
    finding: str


class DoctorCheck(_DoctorCheckRequired, total=False):
    #: The relay that it is about; absent for the local service.
    relay: str
    #: The fix, as a sentence.
    fix: str


class _ExchangeSummaryVisitorRequired(TypedDict):
    address: str


class ExchangeSummaryVisitor(_ExchangeSummaryVisitorRequired, total=False):
    port: int


class ExchangeSummaryError(TypedDict):
    code: str
    message: str


class _ExchangeSummaryRequired(TypedDict):
    id: str
    #: Ascending in the order of arrival.
    seq: int
    #: The kind of the exchange: `sse` once the response is text/event-stream, `upgrade` for
    #: another protocol than WebSocket.
    kind: Literal["http", "websocket", "sse", "upgrade"]
    #: `failed` when it ended with an error; what was recorded until then is there.
    state: Literal["open", "done", "failed"]
    endpoint: Literal["primary", "secondary"]
    method: str
    scheme: Literal["https", "http"]
    hostname: str
    #: Path and query, redacted.
    target: str
    httpVersion: Literal["1.0", "1.1", "2"]
    startedAt: float
    #: Bytes of the bodies so far, as they were on the wire; of an upgraded connection all bytes
    #: after the head.
    requestBytes: int
    responseBytes: int
    visitor: ExchangeSummaryVisitor
    traceId: str


class ExchangeSummary(_ExchangeSummaryRequired, total=False):
    #: Absent until the response's head.
    status: int
    #: The sender of the response: the local service, or the gateway with a page or a refusal of
    #: its own.
    answeredBy: Literal["service", "gateway"]
    #: The time from the request's head to the end; absent while open.
    durationMs: float
    #: Media types without parameters, in lower case.
    requestType: str
    responseType: str
    #: WebSocket messages or server-sent events so far, those no longer kept included.
    messages: int
    #: This is a replay of that one, which may be gone by now; `edited` when it was changed.
    replayOf: str
    edited: bool
    error: ExchangeSummaryError


class ExchangeDetailRequestForwarded(TypedDict):
    service: str
    method: str
    target: str
    headers: List[Header]


class _ExchangeDetailRequestRequired(TypedDict):
    headers: List[Header]
    trailers: List[Header]
    body: BodyInfo


class ExchangeDetailRequest(_ExchangeDetailRequestRequired, total=False):
    forwarded: ExchangeDetailRequestForwarded


class ExchangeDetailResponse(TypedDict):
    status: int
    statusText: str
    headers: List[Header]
    trailers: List[Header]
    body: BodyInfo


class ExchangeDetailReplayYes(TypedDict):
    possible: Literal[True]


class ExchangeDetailReplayNo(TypedDict):
    possible: Literal[False]
    why: str


class _ExchangeDetailRequired(TypedDict):
    summary: ExchangeSummary
    #: The origin of the public URL, with its port: `https://name.example:8443`.
    origin: str
    timing: ExchangeTiming
    #: QUIC, HTTP/2: what carried the visitor's connection.
    transport: str
    request: ExchangeDetailRequest
    replay: Union[ExchangeDetailReplayYes, ExchangeDetailReplayNo]
    #: False when the caller asked for everything.
    redacted: bool


class ExchangeDetail(_ExchangeDetailRequired, total=False):
    response: ExchangeDetailResponse


class _ExchangeTimingRequired(TypedDict):
    startedAt: float


class ExchangeTiming(_ExchangeTimingRequired, total=False):
    #: The gateway has decided and passed the head on. Until here: access rules, reading a body to
    #: check its signature.
    forwardedMs: float
    requestEndMs: float
    #: The response's head came from the local service. From `forwardedMs` to here: the local
    #: service.
    responseHeadMs: float
    responseEndMs: float
    endMs: float
    #: Round trip between client and relay, once for each way of the visitor's bytes, where it is
    #: known.
    linkRttMs: float
    #: The visitor's TLS handshake; the connection may have carried other requests before.
    handshakeMs: float


class _HeaderRequired(TypedDict):
    name: str
    value: str


class Header(_HeaderRequired, total=False):
    #: The value was taken out, as a whole or in part; the mark stands in its place.
    redacted: bool


class BodyInfo(TypedDict):
    #: `truncated`: the bound was reached, only the beginning is kept. `open`: more may come.
    state: Literal["none", "open", "complete", "truncated"]
    bytes: int
    keptBytes: int
    #: Content-Type and Content-Encoding as sent; empty when absent.
    contentType: str
    contentEncoding: str


class _BodyViewRequired(TypedDict):
    info: BodyInfo
    #: How to show it. `html` is source text and must never be rendered.
    format: Literal["none", "json", "form", "multipart", "html", "xml", "events", "text", "image", "binary"]
    #: `damaged`: the coding is broken, or what it hides is too large; what could be decoded is
    #: given. `unknown`: a coding that is not known here; the bytes are given as they are.
    decoding: Literal["none", "decoded", "damaged", "unknown"]
    #: Bytes without content coding, of what is kept. Decoding stops at a bound of its own.
    decodedBytes: int
    redacted: bool


class BodyView(_BodyViewRequired, total=False):
    text: str
    base64: str
    #: Position after what is given, when there is more.
    nextOffset: int
    #: The names and values of a form, decoded.
    fields: List[Header]


class _MessageViewEventRequired(TypedDict):
    name: str


class MessageViewEvent(_MessageViewEventRequired, total=False):
    id: str
    retryMs: float


_MessageViewKeywords = TypedDict("_MessageViewKeywords", {"from": "Literal['visitor', 'service']"})


class _MessageViewRequired(_MessageViewKeywords):
    #: Ascending from 1 within its exchange.
    seq: int
    #: Milliseconds after the exchange's `startedAt`, at the message's last byte.
    atMs: float
    type: Literal["text", "binary", "ping", "pong", "close", "event", "invalid"]
    #: Bytes of the payload, without framing and compression, fragments together.
    bytes: int
    redacted: bool


class MessageView(_MessageViewRequired, total=False):
    #: Frames that a WebSocket message came in, when there were several.
    fragments: int
    compressed: bool
    #: The content of text, close (its reason), event (its data), and invalid (what is wrong).
    text: str
    #: The content of binary, ping and pong.
    base64: str
    #: Only the beginning is kept.
    truncated: bool
    closeCode: int
    #: The fields of a server-sent event.
    event: MessageViewEvent


class InspectorStatus(TypedDict):
    recording: bool
    exchanges: int
    maxExchanges: int
    bytes: int
    maxBytes: int
    maxBodyBytes: int
    #: Exchanges that gave way to newer ones, since the start.
    evicted: int


class InspectorChanges(TypedDict):
    #: New rows and rows that changed, each once with its present state, in ascending `seq`.
    exchanges: List[ExchangeSummary]
    #: Rows that are gone.
    removed: List[str]
    status: InspectorStatus


class _ShareLinkRequired(TypedDict):
    id: str
    label: str
    createdAt: float


class ShareLink(_ShareLinkRequired, total=False):
    #: Milliseconds since 1970; absent for a link that holds until it is revoked.
    endsAt: float


class InitializeParamsClient(TypedDict):
    name: str
    version: str


class _InitializeParamsRequired(TypedDict):
    rpcVersion: float
    #: Who calls, for the relay's log: `vscode/1.90.0`.
    client: InitializeParamsClient


class InitializeParams(_InitializeParamsRequired, total=False):
    #: Folder for certificates, pins and accounts; several daemons may share one. The platform's
    #: data folder when absent. A client that runs already keeps its own.
    stateDir: str
    #: The key that relays know the person by: it vouches for the tunnels' own identities, so that
    #: one invite is enough for all of them. Each tunnel's primary identity when absent. A client
    #: that runs already keeps its own.
    owner: IdentityRef
    #: The lowest level of the lines that this caller gets; `info` when absent.
    logLevel: Literal["debug", "info", "warn", "error"]


class TunnelStartParamsInspectKeep(TypedDict):
    path: str
    key: str


class TunnelStartParamsInspect(TypedDict, total=False):
    redact: List[str]
    keep: TunnelStartParamsInspectKeep


class TunnelStartParamsLease(TypedDict):
    path: str
    holder: str


class _TunnelStartParamsRequired(TypedDict):
    id: str
    primary: EndpointSpec


class TunnelStartParams(_TunnelStartParamsRequired, total=False):
    #: A second name with a self-signed certificate.
    secondary: EndpointSpec
    #: The remembered ones when absent.
    relays: List[RelaySpec]
    suffix: str
    #: A friendly name instead of the client id, where the relay grants it.
    name: str
    transport: Literal["auto", "quic", "h2"]
    poolSize: int
    #: Whether visitors' HTTP is read: `auto` decides by what a visitor says.
    mode: Literal["auto", "http", "tcp"]
    #: Whether the local service sees the public name or localhost; `auto` changes over when it
    #: refuses the name.
    headers: Literal["auto", "transparent", "localhost"]
    #: Paths of the primary name that other local services answer.
    routes: List[RouteSpec]
    #: Visitors get a page that says so, and reach nothing.
    paused: bool
    #: Connections to local services begin with a PROXY protocol v2 header, which has the
    #: visitor's address.
    localProxyProtocol: bool
    #: PEM certificates of CAs that local https services may have theirs from, besides the public
    #: ones. No others are accepted then.
    localCa: str
    #: Any certificate of a local https service is accepted.
    localInsecure: bool
    #: Who may visit, of both endpoints; everybody when absent.
    access: AccessSpec
    #: Records requests in memory, for `inspect/...`; not when absent. `redact`: headers, fields
    #: and parameters to take out besides those that always are. With `keep`, the end of the
    #: daemon's input or `shutdown` writes them to the file at `path`, encrypted with `key` (32
    #: bytes, base64). The next start takes them from there within ten minutes, and removes the
    #: file. `tunnel/stop` forgets them.
    inspect: TunnelStartParamsInspect
    #: A CA's certificate for the public name; asked for when absent.
    acme: AcmeSpec
    #: The tunnel stops once the lock file at `path` (common's `lockFile`) names another holder,
    #: or none: the caller may hang, and can't say itself that another one has taken over.
    lease: TunnelStartParamsLease
    #: Stops the tunnel when the connection that has started it ends, however that comes about.
    untilCallerLeaves: bool


class TunnelStopParams(TypedDict):
    id: str


class TunnelListResult(TypedDict):
    tunnels: List[TunnelInfo]


class _TunnelHistoryParamsRequired(TypedDict):
    id: str


class TunnelHistoryParams(_TunnelHistoryParamsRequired, total=False):
    limit: int


class TunnelHistoryResult(TypedDict):
    entries: List[HistoryEntry]


class TunnelUpdateParams(TypedDict):
    id: str
    changes: TunnelChanges


class _DoctorParamsTunnelRequired(TypedDict):
    tunnel: str


class DoctorParamsTunnel(_DoctorParamsTunnelRequired, total=False):
    role: Literal["primary", "secondary"]


class _DoctorParamsSpecRequired(TypedDict):
    spec: TunnelSpec


class DoctorParamsSpec(_DoctorParamsSpecRequired, total=False):
    role: Literal["primary", "secondary"]


class DoctorResult(TypedDict):
    checks: List[DoctorCheck]


class InspectListParamsFilter(TypedDict):
    text: str


class _InspectListParamsRequired(TypedDict):
    tunnel: str


class InspectListParams(_InspectListParamsRequired, total=False):
    filter: InspectListParamsFilter
    before: float
    limit: float


class InspectListResult(TypedDict):
    version: int
    exchanges: List[ExchangeSummary]
    more: bool
    status: InspectorStatus


class _InspectGetParamsRequired(TypedDict):
    tunnel: str
    id: str


class InspectGetParams(_InspectGetParamsRequired, total=False):
    unredacted: bool


class _InspectBodyParamsRequired(TypedDict):
    tunnel: str
    id: str
    side: Literal["request", "response"]


class InspectBodyParams(_InspectBodyParamsRequired, total=False):
    unredacted: bool
    offset: int
    limit: int


class _InspectMessagesParamsRequired(TypedDict):
    tunnel: str
    id: str


class InspectMessagesParams(_InspectMessagesParamsRequired, total=False):
    after: float
    limit: float
    unredacted: bool


class InspectMessagesResult(TypedDict):
    messages: List[MessageView]
    firstKept: int
    total: int
    more: bool


class _InspectReplayParamsRequired(TypedDict):
    tunnel: str
    id: str


class InspectReplayParams(_InspectReplayParamsRequired, total=False):
    edit: ReplayEdit


class InspectReplayResult(TypedDict):
    id: str


class InspectExportParamsFilter(TypedDict):
    text: str


class _InspectExportParamsRequired(TypedDict):
    tunnel: str
    format: Literal["curl", "fetch", "har"]
    ids: List[str]


class InspectExportParams(_InspectExportParamsRequired, total=False):
    filter: InspectExportParamsFilter
    unredacted: bool
    to: Literal["public", "service"]


class InspectExportResult(TypedDict):
    text: str
    mediaType: str
    fileName: str
    notes: List[str]


class InspectRecordParams(TypedDict):
    tunnel: str
    recording: bool


class _AccessShareParamsRequired(TypedDict):
    tunnel: str


class AccessShareParams(_AccessShareParamsRequired, total=False):
    label: str
    forMs: float


class AccessShareResult(TypedDict):
    link: ShareLink
    urls: List[str]


class AccessLinksResult(TypedDict):
    links: List[ShareLink]


class AccessRevokeParams(TypedDict):
    tunnel: str
    link: str


class _IdentityImportParamsRequired(TypedDict):
    pem: str


class IdentityImportParams(_IdentityImportParamsRequired, total=False):
    passphrase: str


class _IdentityExportParamsRequired(TypedDict):
    identity: IdentityRef


class IdentityExportParams(_IdentityExportParamsRequired, total=False):
    passphrase: str
    relays: List[RelaySpec]


class IdentityExportResult(TypedDict):
    pem: str


class IdentityFingerprintParams(TypedDict):
    identity: IdentityRef


class IdentityProvideParams(TypedDict):
    publicKey: str


class RelayListResult(TypedDict):
    relays: List[RelaySpec]


class RelayAddParamsRelay(TypedDict):
    relay: RelaySpec


class RelayAddParamsInvite(TypedDict):
    invite: str


class RelayRemoveParams(TypedDict):
    address: str


class RelayParseInviteParams(TypedDict):
    invite: str


class _RelayTestParamsRequired(TypedDict):
    relay: RelaySpec


class RelayTestParams(_RelayTestParamsRequired, total=False):
    identity: IdentityRef


class TrialRelayStartParams(TypedDict, total=False):
    publicPort: int


class TrialRelayStartResult(TypedDict):
    relay: RelaySpec
    publicPort: int


class _TunnelVisitNotificationRequired(TypedDict):
    id: str
    visit: VisitView


class TunnelVisitNotification(_TunnelVisitNotificationRequired, total=False):
    missed: int


class _TunnelRequestNotificationRequired(TypedDict):
    id: str
    request: RequestView


class TunnelRequestNotification(_TunnelRequestNotificationRequired, total=False):
    missed: int


class InspectExchangeNotification(TypedDict):
    id: str
    changes: InspectorChanges


class SignParams(TypedDict):
    #: First label of the public name.
    clientId: str
    #: SHA-256 of the public key, as it is pinned.
    fingerprint: str
    #: For ECDSA the signature is DER, or r and s behind one another. RSA has PKCS #1 v1.5
    #: padding.
    algorithm: Literal["ecdsa-sha256", "ed25519", "rsa-pkcs1-sha256"]
    #: The bytes to sign, in base64. They are not hashed yet.
    data: str
    #: Until when this machine may speak for the key, by this signature: milliseconds since 1970.
    validUntil: int


class SignResult(TypedDict):
    #: In base64.
    signature: str

IdentityRef = Union["IdentityRefPem", "IdentityRefPath", "IdentityRefPublicKey"]
TransportTest = Union["TransportTestYes", "TransportTestNo"]
RelayStatusView = Union["RelayStatusViewConnecting", "RelayStatusViewOnline", "RelayStatusViewWaiting", "RelayStatusViewFailed", "RelayStatusViewStopped"]
CertificateView = Union["CertificateViewSelfSigned", "CertificateViewPending", "CertificateViewValid", "CertificateViewRenewing", "CertificateViewFailed"]
HistoryEntry = Union["HistoryEntryState", "HistoryEntryVisit", "HistoryEntryRequest"]
DoctorParams = Union["DoctorParamsTunnel", "DoctorParamsSpec"]
RelayAddParams = Union["RelayAddParamsRelay", "RelayAddParamsInvite"]


class AsyncContract:
    @overload
    async def call(self, method: Literal["initialize"], params: InitializeParams, *, timeout: float = ...) -> InitializeResult: ...
    @overload
    async def call(self, method: Literal["shutdown"], params: Empty, *, timeout: float = ...) -> Empty: ...
    @overload
    async def call(self, method: Literal["tunnel/start"], params: TunnelStartParams, *, timeout: float = ...) -> TunnelInfo: ...
    @overload
    async def call(self, method: Literal["tunnel/stop"], params: TunnelStopParams, *, timeout: float = ...) -> Empty: ...
    @overload
    async def call(self, method: Literal["tunnel/list"], params: Empty, *, timeout: float = ...) -> TunnelListResult: ...
    @overload
    async def call(self, method: Literal["tunnel/history"], params: TunnelHistoryParams, *, timeout: float = ...) -> TunnelHistoryResult: ...
    @overload
    async def call(self, method: Literal["tunnel/update"], params: TunnelUpdateParams, *, timeout: float = ...) -> TunnelInfo: ...
    @overload
    async def call(self, method: Literal["doctor"], params: DoctorParams, *, timeout: float = ...) -> DoctorResult: ...
    @overload
    async def call(self, method: Literal["inspect/list"], params: InspectListParams, *, timeout: float = ...) -> InspectListResult: ...
    @overload
    async def call(self, method: Literal["inspect/get"], params: InspectGetParams, *, timeout: float = ...) -> ExchangeDetail: ...
    @overload
    async def call(self, method: Literal["inspect/body"], params: InspectBodyParams, *, timeout: float = ...) -> BodyView: ...
    @overload
    async def call(self, method: Literal["inspect/messages"], params: InspectMessagesParams, *, timeout: float = ...) -> InspectMessagesResult: ...
    @overload
    async def call(self, method: Literal["inspect/replay"], params: InspectReplayParams, *, timeout: float = ...) -> InspectReplayResult: ...
    @overload
    async def call(self, method: Literal["inspect/export"], params: InspectExportParams, *, timeout: float = ...) -> InspectExportResult: ...
    @overload
    async def call(self, method: Literal["inspect/clear"], params: OfTunnel, *, timeout: float = ...) -> Empty: ...
    @overload
    async def call(self, method: Literal["inspect/record"], params: InspectRecordParams, *, timeout: float = ...) -> InspectorStatus: ...
    @overload
    async def call(self, method: Literal["access/share"], params: AccessShareParams, *, timeout: float = ...) -> AccessShareResult: ...
    @overload
    async def call(self, method: Literal["access/links"], params: OfTunnel, *, timeout: float = ...) -> AccessLinksResult: ...
    @overload
    async def call(self, method: Literal["access/revoke"], params: AccessRevokeParams, *, timeout: float = ...) -> Empty: ...
    @overload
    async def call(self, method: Literal["identity/create"], params: Empty, *, timeout: float = ...) -> IdentityWithPem: ...
    @overload
    async def call(self, method: Literal["identity/import"], params: IdentityImportParams, *, timeout: float = ...) -> ImportedIdentity: ...
    @overload
    async def call(self, method: Literal["identity/export"], params: IdentityExportParams, *, timeout: float = ...) -> IdentityExportResult: ...
    @overload
    async def call(self, method: Literal["identity/fingerprint"], params: IdentityFingerprintParams, *, timeout: float = ...) -> Identity: ...
    @overload
    async def call(self, method: Literal["identity/provide"], params: IdentityProvideParams, *, timeout: float = ...) -> Identity: ...
    @overload
    async def call(self, method: Literal["relay/list"], params: Empty, *, timeout: float = ...) -> RelayListResult: ...
    @overload
    async def call(self, method: Literal["relay/add"], params: RelayAddParams, *, timeout: float = ...) -> RelayResult: ...
    @overload
    async def call(self, method: Literal["relay/remove"], params: RelayRemoveParams, *, timeout: float = ...) -> Empty: ...
    @overload
    async def call(self, method: Literal["relay/parseInvite"], params: RelayParseInviteParams, *, timeout: float = ...) -> RelayResult: ...
    @overload
    async def call(self, method: Literal["relay/test"], params: RelayTestParams, *, timeout: float = ...) -> RelayTest: ...
    @overload
    async def call(self, method: Literal["trialRelay/start"], params: TrialRelayStartParams, *, timeout: float = ...) -> TrialRelayStartResult: ...
    @overload
    async def call(self, method: Literal["trialRelay/stop"], params: Empty, *, timeout: float = ...) -> Empty: ...
    async def call(self, method: Any, params: Any, *, timeout: float = 150) -> Any:
        """Makes a request. Raises `PortholeError` with the daemon's code."""
        raise NotImplementedError

    @overload
    def on(self, name: Literal["tunnel/state"], listener: Callable[[TunnelInfo], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["tunnel/visit"], listener: Callable[[TunnelVisitNotification], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["tunnel/request"], listener: Callable[[TunnelRequestNotification], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["inspect/exchange"], listener: Callable[[InspectExchangeNotification], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["log"], listener: Callable[[LogLine], None]) -> Callable[[], None]: ...
    def on(self, name: Any, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Calls back for each notification. Returns a function that ends that."""
        raise NotImplementedError


class Contract:
    @overload
    def call(self, method: Literal["initialize"], params: InitializeParams, *, timeout: float = ...) -> InitializeResult: ...
    @overload
    def call(self, method: Literal["shutdown"], params: Empty, *, timeout: float = ...) -> Empty: ...
    @overload
    def call(self, method: Literal["tunnel/start"], params: TunnelStartParams, *, timeout: float = ...) -> TunnelInfo: ...
    @overload
    def call(self, method: Literal["tunnel/stop"], params: TunnelStopParams, *, timeout: float = ...) -> Empty: ...
    @overload
    def call(self, method: Literal["tunnel/list"], params: Empty, *, timeout: float = ...) -> TunnelListResult: ...
    @overload
    def call(self, method: Literal["tunnel/history"], params: TunnelHistoryParams, *, timeout: float = ...) -> TunnelHistoryResult: ...
    @overload
    def call(self, method: Literal["tunnel/update"], params: TunnelUpdateParams, *, timeout: float = ...) -> TunnelInfo: ...
    @overload
    def call(self, method: Literal["doctor"], params: DoctorParams, *, timeout: float = ...) -> DoctorResult: ...
    @overload
    def call(self, method: Literal["inspect/list"], params: InspectListParams, *, timeout: float = ...) -> InspectListResult: ...
    @overload
    def call(self, method: Literal["inspect/get"], params: InspectGetParams, *, timeout: float = ...) -> ExchangeDetail: ...
    @overload
    def call(self, method: Literal["inspect/body"], params: InspectBodyParams, *, timeout: float = ...) -> BodyView: ...
    @overload
    def call(self, method: Literal["inspect/messages"], params: InspectMessagesParams, *, timeout: float = ...) -> InspectMessagesResult: ...
    @overload
    def call(self, method: Literal["inspect/replay"], params: InspectReplayParams, *, timeout: float = ...) -> InspectReplayResult: ...
    @overload
    def call(self, method: Literal["inspect/export"], params: InspectExportParams, *, timeout: float = ...) -> InspectExportResult: ...
    @overload
    def call(self, method: Literal["inspect/clear"], params: OfTunnel, *, timeout: float = ...) -> Empty: ...
    @overload
    def call(self, method: Literal["inspect/record"], params: InspectRecordParams, *, timeout: float = ...) -> InspectorStatus: ...
    @overload
    def call(self, method: Literal["access/share"], params: AccessShareParams, *, timeout: float = ...) -> AccessShareResult: ...
    @overload
    def call(self, method: Literal["access/links"], params: OfTunnel, *, timeout: float = ...) -> AccessLinksResult: ...
    @overload
    def call(self, method: Literal["access/revoke"], params: AccessRevokeParams, *, timeout: float = ...) -> Empty: ...
    @overload
    def call(self, method: Literal["identity/create"], params: Empty, *, timeout: float = ...) -> IdentityWithPem: ...
    @overload
    def call(self, method: Literal["identity/import"], params: IdentityImportParams, *, timeout: float = ...) -> ImportedIdentity: ...
    @overload
    def call(self, method: Literal["identity/export"], params: IdentityExportParams, *, timeout: float = ...) -> IdentityExportResult: ...
    @overload
    def call(self, method: Literal["identity/fingerprint"], params: IdentityFingerprintParams, *, timeout: float = ...) -> Identity: ...
    @overload
    def call(self, method: Literal["identity/provide"], params: IdentityProvideParams, *, timeout: float = ...) -> Identity: ...
    @overload
    def call(self, method: Literal["relay/list"], params: Empty, *, timeout: float = ...) -> RelayListResult: ...
    @overload
    def call(self, method: Literal["relay/add"], params: RelayAddParams, *, timeout: float = ...) -> RelayResult: ...
    @overload
    def call(self, method: Literal["relay/remove"], params: RelayRemoveParams, *, timeout: float = ...) -> Empty: ...
    @overload
    def call(self, method: Literal["relay/parseInvite"], params: RelayParseInviteParams, *, timeout: float = ...) -> RelayResult: ...
    @overload
    def call(self, method: Literal["relay/test"], params: RelayTestParams, *, timeout: float = ...) -> RelayTest: ...
    @overload
    def call(self, method: Literal["trialRelay/start"], params: TrialRelayStartParams, *, timeout: float = ...) -> TrialRelayStartResult: ...
    @overload
    def call(self, method: Literal["trialRelay/stop"], params: Empty, *, timeout: float = ...) -> Empty: ...
    def call(self, method: Any, params: Any, *, timeout: float = 150) -> Any:
        """Makes a request. Raises `PortholeError` with the daemon's code."""
        raise NotImplementedError

    @overload
    def on(self, name: Literal["tunnel/state"], listener: Callable[[TunnelInfo], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["tunnel/visit"], listener: Callable[[TunnelVisitNotification], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["tunnel/request"], listener: Callable[[TunnelRequestNotification], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["inspect/exchange"], listener: Callable[[InspectExchangeNotification], None]) -> Callable[[], None]: ...
    @overload
    def on(self, name: Literal["log"], listener: Callable[[LogLine], None]) -> Callable[[], None]: ...
    def on(self, name: Any, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Calls back for each notification. Returns a function that ends that."""
        raise NotImplementedError
