import App
import ArgumentParser

/// `wattloop token NAME`
struct TokenCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Print an access token of a user, signed with the store's key.")

  @Argument(help: "The name of the user.") var name: String
  @Option(help: "The life of the token, such as 30s, 15m, 1h or 30d.", transform: Self.lifetime)
  var ttl = Duration.seconds(3600)

  func run(_ configuration: Configuration) throws {
    let store = try Store(directory: configuration.data, for: .command)
    let administration = UserAdministration(store: store)
    let user = try administration.find(name)
    let issuer = TokenIssuer(key: try SigningKeyFile.load(configuration), lifetime: ttl)
    print(try administration.token(for: user, issuer))
    try store.close()
  }

  private static func lifetime(_ text: String) throws -> Duration {
    guard let duration = TimeSpan.parse(text), duration >= .seconds(1) else {
      throw ValidationError("'\(text)' is not a duration from 1s such as 15m")
    }
    return duration
  }
}
