package io.porthole

/**
 * Something failed. [code] decides what to do next; the text is for people. The codes are those of the daemon (`usage`,
 * `unauthorized`, `unreachable` and others; the set grows), with `closed` when the daemon has ended.
 */
class PortholeException(
    val code: String,
    text: String,
    val hint: String? = null,
    val isRetryable: Boolean = false,
    cause: Throwable? = null,
) : Exception(if (hint == null) text else "$text. $hint", cause)
