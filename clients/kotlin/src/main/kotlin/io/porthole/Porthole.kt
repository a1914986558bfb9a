package io.porthole

import java.io.Closeable
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.SocketChannel
import java.nio.file.Path
import java.util.Base64
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put

private const val RPC_VERSION = 1.0
/** Stopping every tunnel takes the daemon 15 seconds at most. */
private const val END_SECONDS = 20L
private const val STOP_TIMEOUT_MS = 20_000L
private const val INTRODUCTION_TIMEOUT_MS = 60_000L

/** A connection to a daemon. [close] ends a daemon that [start] has started, and leaves a client that [attach] has found. */
class Porthole private constructor(
    val connection: Connection,
    private val folder: Path,
    private val end: () -> Unit,
) : Closeable {
    /**
     * Exposes a port or an address, and returns when visitors can come. [name] chooses the key, and with it the address:
     * `tunnels/NAME.pem` in the state folder. [identity] is the key itself, and [signer] a key that is elsewhere. [invite]
     * is used up by the first start and harmless later; without it and [relay] the relays are used that `porthole join` has
     * added. [options] has what else a tunnel may say; its id and its service are taken from the other arguments.
     */
    suspend fun expose(
        local: String,
        relay: RelaySpec? = null,
        invite: String? = null,
        name: String = "program",
        identity: IdentityRef? = null,
        signer: SigningIdentity? = null,
        timeoutMs: Long = 120_000,
        options: (TunnelStartParams) -> TunnelStartParams = { it },
    ): Tunnel {
        val key = signer?.let(connection.signers::hold)
            ?: identity
            ?: IdentityRef(path = folder.resolve("tunnels").resolve("$name.pem").toString())
        val joined = relay ?: invite?.let {
            connection.call<RelayAddParams, RelayResult>("relay/add", RelayAddParams(invite = it)).relay
        }
        val spec = TunnelStartParams(
            id = name,
            primary = EndpointSpec(identity = key, local = local),
            relays = joined?.let { listOf(it) },
            inspect = TunnelStartParamsInspect(),
            untilCallerLeaves = true,
        )
        return Tunnel.start(connection, options(spec), timeoutMs)
    }

    /** Signs by this key from now on, also for a tunnel that runs already: for a program that attaches again. */
    suspend fun provide(identity: SigningIdentity) = connection.provide(identity)

    override fun close() {
        connection.close()
        end()
    }

    companion object {
        /**
         * Starts a daemon with the command, which ends with this process, however that ends. [owner] is the key that relays
         * know the person by, or [ownerSigner] one that is elsewhere.
         */
        suspend fun start(
            stateDir: Path,
            command: List<String> = listOf("porthole", "daemon", "--stdio"),
            owner: IdentityRef? = null,
            ownerSigner: SigningIdentity? = null,
        ): Porthole = withContext(Dispatchers.IO) {
            val folder = stateDir.toAbsolutePath()
            val process = try {
                ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
            } catch (cause: IOException) {
                val hint = "Install it with: npm install --global porthole"
                throw PortholeException("unavailable", "${command.first()} can't be started", hint, cause = cause)
            }
            val connection = Connection(process.inputStream, process.outputStream)
            val porthole = Porthole(connection, folder) {
                if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) process.destroyForcibly()
            }
            val key = ownerSigner?.let(connection.signers::hold)
                ?: owner
                ?: IdentityRef(path = folder.resolve("primary-key.pem").toString())
            porthole.introduced(InitializeParams(RPC_VERSION, self, stateDir = folder.toString(), owner = key))
        }

        /** Attaches to the client that runs with this state folder, also to one inside an app. Throws `unavailable` when none runs. */
        suspend fun attach(stateDir: Path): Porthole = withContext(Dispatchers.IO) {
            val folder = stateDir.toAbsolutePath()
            val channel = SocketChannel.open(StandardProtocolFamily.UNIX)
            try {
                channel.connect(UnixDomainSocketAddress.of(folder.resolve("client.sock")))
            } catch (cause: IOException) {
                channel.close()
                throw PortholeException("unavailable", "No client runs with the folder $folder", cause = cause)
            }
            val connection = Connection(ChannelInput(channel), ChannelOutput(channel))
            Porthole(connection, folder) { channel.close() }.introduced(InitializeParams(RPC_VERSION, self))
        }

        private val self = InitializeParamsClient("kotlin", KotlinVersion.CURRENT.toString())
    }

    private suspend fun introduced(params: InitializeParams): Porthole = try {
        connection.call<InitializeParams, InitializeResult>("initialize", params, INTRODUCTION_TIMEOUT_MS)
        this
    } catch (error: Throwable) {
        close()
        throw error
    }
}

/** A service with a public URL, until [stop] is called or its client ends. */
class Tunnel private constructor(private val connection: Connection, private val spec: TunnelStartParams) {
    val id get() = spec.id
    private var seen = 0L

    suspend fun state(): TunnelStateView =
        connection.call<Empty, TunnelListResult>("tunnel/list", Empty()).tunnels.firstOrNull { it.id == id }?.state
            ?: throw PortholeException("aborted", "The tunnel was stopped")

    /** The public URL, without a slash at its end. */
    suspend fun url(): String = state().endpoints.first().urls.first()

    /** Visitors' requests once they are answered, while it is collected. */
    fun requests(): Flow<RequestView> = connection.notifications
        .filter { it.method == "tunnel/request" && it.isOf(id) }
        .map { json.decodeFromJsonElement<TunnelRequestNotification>(it.params).request }

    /** The next request that was answered and fits the filter, the oldest first: also one that came before this call. Throws `timeout`. */
    suspend fun waitForRequest(filter: String = "", timeoutMs: Long = 60_000): ExchangeDetail {
        val text = if (filter.isEmpty()) null else InspectListParamsFilter(filter)
        val found = until("inspect/exchange", timeoutMs, "A matching request") {
            connection.call<InspectListParams, InspectListResult>("inspect/list", InspectListParams(id, text, limit = 1_000.0))
                .exchanges.filter { it.seq > seen && it.state != "open" }.minByOrNull { it.seq }
        }
        seen = found.seq
        return exchange(found.id)
    }

    /** A recorded request with its response, without the bodies. Secrets are redacted. */
    suspend fun exchange(exchange: String): ExchangeDetail = connection.call("inspect/get", InspectGetParams(id, exchange))

    /** A recorded body without content coding, as it was: nothing is redacted. `side` is `request` or `response`. */
    suspend fun body(exchange: String, side: String = "request"): ByteArray {
        var body = ByteArray(0)
        var offset: Long? = 0
        while (offset != null) {
            val view: BodyView = connection.call("inspect/body", InspectBodyParams(tunnel = id, id = exchange, side = side, unredacted = true, offset = offset))
            body += view.base64?.let { Base64.getDecoder().decode(it) } ?: view.text.orEmpty().toByteArray()
            offset = view.nextOffset
        }
        return body
    }

    /** Sends a recorded request to the local service again, and returns it with the response. */
    suspend fun replay(exchange: String, edit: ReplayEdit? = null, timeoutMs: Long = 60_000): ExchangeDetail {
        val sent: InspectReplayResult = connection.call("inspect/replay", InspectReplayParams(id, exchange, edit))
        val detail = until("inspect/exchange", timeoutMs, "The replay") { exchange(sent.id).takeIf { it.summary.state != "open" } }
        seen = maxOf(seen, detail.summary.seq)
        return detail
    }

    /** Ends the tunnel. */
    suspend fun stop() {
        connection.call<TunnelStopParams, Empty>("tunnel/stop", TunnelStopParams(id))
    }

    /** Looks now, and after each notification about this tunnel, until `find` returns something. */
    private suspend fun <T : Any> until(method: String, timeoutMs: Long, what: String, find: suspend () -> T?): T =
        withTimeoutOrNull(timeoutMs) {
            coroutineScope {
                val watching = launch { throw connection.closed() }
                connection.notifications
                    .onSubscription { emit(Notification(method, buildJsonObject { put("id", id) })) }
                    .filter { it.method == method && it.isOf(id) }
                    .conflate()
                    .mapNotNull { find() }
                    .first()
                    .also { watching.cancel() }
            }
        } ?: throw PortholeException("timeout", "$what took more than $timeoutMs ms", isRetryable = true)

    internal companion object {
        suspend fun start(connection: Connection, spec: TunnelStartParams, timeoutMs: Long): Tunnel {
            val tunnel = Tunnel(connection, spec)
            connection.call<TunnelStartParams, TunnelInfo>("tunnel/start", spec)
            try {
                tunnel.until("tunnel/state", timeoutMs, "Coming online") { tunnel.state().takeIf(::isReady) }
            } catch (error: Throwable) {
                withContext(NonCancellable) { withTimeoutOrNull(STOP_TIMEOUT_MS) { runCatching { tunnel.stop() } } }
                throw error
            }
            return tunnel
        }

        private fun isReady(state: TunnelStateView): Boolean {
            state.ended?.let { throw it.error?.toException() ?: PortholeException("aborted", "The tunnel was stopped") }
            val endpoint = state.endpoints.firstOrNull() ?: return false
            endpoint.certificates.firstOrNull { it.status == "failed" }?.error?.let { throw it.toException() }
            return endpoint.relays.any { it.now.status == "online" } &&
                endpoint.certificates.none { it.status == "pending" } && endpoint.urls.isNotEmpty()
        }
    }
}

private fun Notification.isOf(id: String) = params.jsonObject["id"]?.jsonPrimitive?.content == id

// The streams of java.nio.channels.Channels have one lock: before Java 19 nothing can be written while something is read.

private class ChannelInput(private val channel: SocketChannel) : InputStream() {
    override fun read(): Int {
        val byte = ByteArray(1)
        return if (read(byte, 0, 1) < 0) -1 else byte[0].toInt() and 0xff
    }

    override fun read(bytes: ByteArray, offset: Int, length: Int): Int = channel.read(ByteBuffer.wrap(bytes, offset, length))
}

private class ChannelOutput(private val channel: SocketChannel) : OutputStream() {
    override fun write(byte: Int) = write(byteArrayOf(byte.toByte()))

    override fun write(bytes: ByteArray, offset: Int, length: Int) {
        val buffer = ByteBuffer.wrap(bytes, offset, length)
        while (buffer.hasRemaining()) channel.write(buffer)
    }

    override fun close() = channel.close()
}
