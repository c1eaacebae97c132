import GRDB

/// An error that ends the program: its exit code (sysexits.h) and one line for the operator.
public struct ExitFailure: Error, Equatable {
  public let code: Int32
  public let message: String

  /// What was checked is not right.
  public static func faults(_ message: String) -> ExitFailure { ExitFailure(code: 1, message: message) }
  /// The command line or a setting is wrong.
  public static func usage(_ message: String) -> ExitFailure { ExitFailure(code: 64, message: message) }
  /// Something that the program needs is not to be had, such as its port.
  public static func unavailable(_ message: String) -> ExitFailure { ExitFailure(code: 69, message: message) }
  /// The store or another file cannot be used.
  public static func storage(_ message: String) -> ExitFailure { ExitFailure(code: 74, message: message) }

  /// What any error means for the exit.
  public init(_ error: any Error) {
    switch error {
    case let failure as ExitFailure: self = failure
    case let error as ConfigurationError: self = .usage(error.description)
    case let error as StoreError: self = .storage(error.description)
    case let error as DatabaseError: self = .storage("the store failed: \(error.message ?? "unknown error")")
    case is PasswordHash.Failure: self = .unavailable("there is not enough memory to hash a password")
    default: self = ExitFailure(code: 70, message: "unexpected error: \(error)")
    }
  }

  private init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }
}
