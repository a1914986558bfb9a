import {
  EventEmitter,
  FileChangeType,
  FilePermission,
  FileSystemError,
  FileType,
  Uri,
  type Disposable,
  type FileChangeEvent,
  type FileStat,
  type FileSystemProvider,
} from "vscode";

export const requestScheme = "porthole-request";

/** The oldest files give way: they are copies of what was recorded, and of what somebody writes to send it. */
const maxFiles = 100;

interface RequestFile {
  readonly bytes: Uint8Array;
  readonly isEditable: boolean;
  readonly createdAt: number;
  readonly changedAt: number;
}

/** Bodies, exchanges and requests as files in memory, so that the editor shows each in its own way. They end with the window. */
export class RequestFiles implements FileSystemProvider {
  readonly #changed = new EventEmitter<FileChangeEvent[]>();
  readonly #files = new Map<string, RequestFile>();
  readonly onDidChangeFile = this.#changed.event;

  /** Writes a file, or replaces the one with the same path. */
  put(path: string, content: string | Uint8Array, isEditable = false): Uri {
    const uri = Uri.from({ scheme: requestScheme, path });
    const before = this.#files.get(path);
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    // Later than before also on a clock that stands still: the editor reads a file again by that.
    const changedAt = Math.max(Date.now(), (before?.changedAt ?? 0) + 1);
    this.#files.delete(path);
    this.#files.set(path, { bytes, isEditable, createdAt: before?.createdAt ?? changedAt, changedAt });
    const [oldest] = this.#files.keys();
    if (this.#files.size > maxFiles && oldest !== undefined) this.#files.delete(oldest);
    this.#changed.fire([{ type: before ? FileChangeType.Changed : FileChangeType.Created, uri }]);
    return uri;
  }

  stat(uri: Uri): FileStat {
    const { bytes, isEditable, createdAt, changedAt } = this.#known(uri);
    const stat = { type: FileType.File, ctime: createdAt, mtime: changedAt, size: bytes.length };
    return isEditable ? stat : { ...stat, permissions: FilePermission.Readonly };
  }

  readFile(uri: Uri): Uint8Array {
    return this.#known(uri).bytes;
  }

  writeFile(uri: Uri, content: Uint8Array): void {
    if (!this.#known(uri).isEditable) throw FileSystemError.NoPermissions(uri);
    this.put(uri.path, content, true);
  }

  watch(): Disposable {
    return { dispose() {} };
  }

  readDirectory(): [string, FileType][] {
    return [];
  }

  createDirectory(uri: Uri): void {
    throw FileSystemError.NoPermissions(uri);
  }

  delete(uri: Uri): void {
    throw FileSystemError.NoPermissions(uri);
  }

  rename(uri: Uri): void {
    throw FileSystemError.NoPermissions(uri);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #known(uri: Uri): RequestFile {
    const file = this.#files.get(uri.path);
    if (!file) throw FileSystemError.FileNotFound(uri);
    return file;
  }
}
