import Glibc

/// Why the store, or a file beside it, cannot be opened. The description is one line for the operator; the
/// program exits with 74.
public enum StoreError: Error, CustomStringConvertible {
  /// The directory or a file in it cannot be made, read or written.
  case inaccessible(path: String, reason: String)
  /// The file is no database, or SQLite cannot work with it.
  case unusable(path: String, reason: String)
  /// A later version of the program has changed the schema.
  case newer(path: String)
  /// Another server has this store open.
  case locked(path: String)

  public var description: String {
    switch self {
    case .inaccessible(let path, let reason): "'\(path)' cannot be opened: \(reason)"
    case .unusable(let path, let reason): "'\(path)' cannot be used: \(reason)"
    case .newer(let path): "the store '\(path)' was written by a newer version of wattloop"
    case .locked(let path): "the store '\(path)' is in use by another wattloop server"
    }
  }

  /// From `errno`.
  static func inaccessible(_ path: String, errno code: Int32) -> StoreError {
    .inaccessible(path: path, reason: String(cString: strerror(code)))
  }
}
