import Glibc

/// The file of `--pid-file`: the process id on one line, while the server runs.
public enum PidFile {
  public static func write(_ path: String) throws(ExitFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    let line = Array("\(getpid())\n".utf8)
    guard Glibc.write(descriptor, line, line.count) == line.count else { throw failure(path) }
  }

  public static func remove(_ path: String) { unlink(path) }

  private static func failure(_ path: String) -> ExitFailure {
    .storage("--pid-file: '\(path)' cannot be written: \(String(cString: strerror(errno)))")
  }
}
