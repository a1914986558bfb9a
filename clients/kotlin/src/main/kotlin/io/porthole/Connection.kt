package io.porthole

import java.io.BufferedInputStream
import java.io.Closeable
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.encodeToJsonElement
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.longOrNull
import kotlinx.serialization.json.put

/** A visitor's request with its body may be in an answer. */
private const val MAX_MESSAGE_BYTES = 64 * 1024 * 1024
private const val MAX_NOTIFICATIONS = 1_000
private const val REASON_TIMEOUT_MS = 1_000L
const val REQUEST_TIMEOUT_MS = 150_000L

@PublishedApi
internal val json = Json {
    ignoreUnknownKeys = true
    explicitNulls = false
}

/** What a daemon says by itself: `tunnel/state`, `tunnel/request` and others. */
data class Notification(val method: String, val params: JsonElement)

/** JSON-RPC 2.0 with Content-Length headers, over a pair of streams. Its owner closes it, and the streams with it. */
class Connection(input: InputStream, private val output: OutputStream) : Closeable {
    private val input = BufferedInputStream(input)
    private val ids = AtomicLong()
    private val waiting = ConcurrentHashMap<Long, CompletableDeferred<JsonElement>>()
    private val said =
        MutableSharedFlow<Notification>(extraBufferCapacity = MAX_NOTIFICATIONS, onBufferOverflow = BufferOverflow.DROP_OLDEST)
    private val ended = CompletableDeferred<PortholeException>()
    internal val signers = Signers()
    /** What the daemon asks for, by its number. */
    private val answering = ConcurrentHashMap<JsonElement, Job>()
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.IO)
    @Volatile private var reason: PortholeException? = null

    init {
        thread(name = "porthole", isDaemon = true) { end(read()) }
    }

    /** From the moment of collecting on. A collector that is more than 1,000 behind loses the oldest. */
    val notifications: SharedFlow<Notification> get() = said

    /** Why the daemon is gone; suspends while it is there. */
    suspend fun closed(): PortholeException = ended.await()

    /** Signs by this key from now on, also for a tunnel that runs already: for a program that attaches again. */
    suspend fun provide(identity: SigningIdentity) {
        signers.hold(identity)
        call<IdentityProvideParams, JsonElement>("identity/provide", IdentityProvideParams(identity.publicKey))
    }

    /** Makes any request of the contract. Throws [PortholeException] with the daemon's code. */
    suspend inline fun <reified P, reified R> call(method: String, params: P, timeoutMs: Long = REQUEST_TIMEOUT_MS): R =
        json.decodeFromJsonElement(request(method, json.encodeToJsonElement(params), timeoutMs))

    /** The same with JSON itself, where `null` is to take something away. */
    suspend fun request(method: String, params: JsonElement, timeoutMs: Long = REQUEST_TIMEOUT_MS): JsonElement {
        val id = ids.incrementAndGet()
        val answer = CompletableDeferred<JsonElement>()
        waiting[id] = answer
        reason?.let { answer.completeExceptionally(it) }
        var isAnswered = false
        try {
            send(buildJsonObject {
                put("jsonrpc", "2.0")
                put("id", id)
                put("method", method)
                put("params", params)
            })
            val result = withTimeoutOrNull(timeoutMs) { answer.await() }
            isAnswered = result != null
            return result ?: throw PortholeException("timeout", "$method took more than $timeoutMs ms", isRetryable = true)
        } catch (error: PortholeException) {
            isAnswered = error.code != "timeout" || answer.isCompleted
            throw error
        } finally {
            waiting.remove(id)
            if (!isAnswered && !ended.isCompleted) cancel(id)
        }
    }

    override fun close() {
        end(PortholeException("aborted", "The connection to the daemon was closed"))
        // The reader's own close would wait for a read that waits for the daemon.
        runCatching { output.close() }
    }

    private fun cancel(id: Long) = thread(name = "porthole-cancel", isDaemon = true) {
        runCatching {
            write(buildJsonObject {
                put("jsonrpc", "2.0")
                put("method", "\$/cancelRequest")
                put("params", buildJsonObject { put("id", id) })
            })
        }
    }

    private suspend fun send(message: JsonObject) = withContext(Dispatchers.IO) {
        try {
            write(message)
        } catch (cause: IOException) {
            // The reader knows why, a moment later.
            throw withTimeoutOrNull(REASON_TIMEOUT_MS) { ended.await() }
                ?: PortholeException("closed", "The daemon has ended", isRetryable = true, cause = cause)
        }
    }

    @Synchronized
    private fun write(message: JsonObject) {
        val body = message.toString().toByteArray()
        output.write("Content-Length: ${body.size}\r\n\r\n".toByteArray() + body)
        output.flush()
    }

    private fun read(): PortholeException {
        try {
            while (true) take(json.parseToJsonElement(message() ?: break).jsonObject)
        } catch (_: IOException) {
        } catch (cause: IllegalArgumentException) {
            return PortholeException("protocol", "The daemon wrote something else than messages", cause = cause)
        }
        return PortholeException("closed", "The daemon has ended", isRetryable = true)
    }

    /** The next message's body; `null` at the end. */
    private fun message(): String? {
        var length = -1
        while (true) {
            val line = line() ?: return null
            if (line.isEmpty()) break
            require(':' in line) { "no header" }
            val (name, value) = line.split(':', limit = 2)
            if (name.trim().equals("content-length", ignoreCase = true)) length = value.trim().toInt()
        }
        require(length in 0..MAX_MESSAGE_BYTES) { "no length" }
        val body = input.readNBytes(length)
        return if (body.size < length) null else String(body)
    }

    private fun line(): String? {
        val text = StringBuilder()
        while (true) {
            val byte = input.read()
            if (byte < 0) return null
            if (byte == '\n'.code) return text.removeSuffix("\r").toString()
            require(text.length < 1_000) { "a header without an end" }
            text.append(byte.toChar())
        }
    }

    private fun take(message: JsonObject) {
        val method = message["method"]?.jsonPrimitive?.content
        val id = message["id"]?.takeIf { it !is JsonNull }
        val params = message["params"] ?: JsonNull
        when {
            method == null -> settle(message, id?.jsonPrimitive?.longOrNull ?: return)
            id != null -> answer(id, method, params)
            method == "\$/cancelRequest" -> params.jsonObject["id"]?.let { answering[it]?.cancel() }
            else -> said.tryEmit(Notification(method, params))
        }
    }

    private fun settle(message: JsonObject, id: Long) {
        val answer = waiting[id] ?: return
        val error = message["error"]
        if (error == null) answer.complete(message["result"] ?: JsonNull)
        else answer.completeExceptionally(failure(error.jsonObject))
    }

    /** The reader goes on meanwhile: a person may be asked. */
    private fun answer(id: JsonElement, method: String, params: JsonElement) {
        val answering = scope.launch(start = CoroutineStart.LAZY) {
            val (kind, content) = answerTo(method, params)
            // A request that was cancelled is answered, too.
            if (reason == null) runCatching {
                write(buildJsonObject {
                    put("jsonrpc", "2.0")
                    put("id", id)
                    put(kind, content)
                })
            }
        }
        this.answering[id] = answering
        answering.invokeOnCompletion { this.answering.remove(id, answering) }
        answering.start()
    }

    private suspend fun answerTo(method: String, params: JsonElement): Pair<String, JsonElement> {
        if (method != "identity/sign") return refusal(-32601, "usage", "There is no request $method")
        val asked = try {
            json.decodeFromJsonElement<SignParams>(params)
        } catch (_: IllegalArgumentException) {
            return refusal(-32602, "usage", "These are no parameters of $method")
        }
        return try {
            "result" to json.encodeToJsonElement(signers.sign(asked))
        } catch (error: Throwable) {
            refusal(-32000, "signer", error.message?.takeIf { it.isNotBlank() } ?: error.javaClass.simpleName)
        }
    }

    private fun refusal(number: Int, code: String, text: String): Pair<String, JsonElement> = "error" to buildJsonObject {
        put("code", number)
        put("message", text)
        put("data", json.encodeToJsonElement(RpcErrorData(code, text, retryable = false)))
    }

    private fun failure(error: JsonObject): PortholeException = try {
        json.decodeFromJsonElement<RpcErrorData>(error["data"] ?: JsonNull).toException()
    } catch (cause: SerializationException) {
        PortholeException("internal", "The daemon failed without saying why", cause = cause)
    }

    private fun end(reason: PortholeException) {
        synchronized(ended) {
            if (this.reason != null) return
            this.reason = reason
        }
        ended.complete(reason)
        scope.cancel()
        for (answer in waiting.values) answer.completeExceptionally(reason)
    }
}

internal fun RpcErrorData.toException() = PortholeException(code, message, hint, retryable)
