import App
import ArgumentParser

/// `wattloop user …`
struct UserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user", abstract: "Manage users.", subcommands: [UserAddCommand.self])
}

/// `wattloop user add …`, also beside a running server.
struct UserAddCommand: ConfiguredCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Create a user, or users for load tests.",
    discussion: """
      The password is the first line of standard input; without one it is generated and printed.
      With --load-test a line 'id,username,token' is printed for each user, with a token for 24 hours.
      """)

  @Argument(help: "The name of the user.") var name: String?
  @Option(help: "What the user may do.") var role: Role?
  @Option(help: "Make so many clients without a password.") var loadTest: Int?
  @Option(help: "How the names of users for load tests begin.") var prefix = "load"

  func validate() throws {
    if loadTest != nil {
      if name != nil || role != nil { throw ValidationError("--load-test goes without a name and a role") }
    } else if name == nil || role == nil {
      throw ValidationError("a name and --role are needed")
    }
  }

  func run(_ configuration: Configuration) throws {
    if let loadTest {
      try addLoadTest(loadTest, configuration)
    } else if let name, let role {
      try add(name, role, configuration)
    }
  }

  private func add(_ name: String, _ role: Role, _ configuration: Configuration) throws {
    let store = try Store(directory: configuration.data, for: .command)
    let given = Terminal.inputLine()
    let password = given ?? Password.generate()
    let user = try UserAdministration(store: store).add(
      name, role: role, password: password, passwords: PasswordHasher(n: configuration.scryptN))
    print("created \(user.role) '\(user.username)' with the id \(EntityID.user.text(user.id))")
    if given == nil { print("password: \(password)") }
    try store.close()
  }

  private func addLoadTest(_ count: Int, _ configuration: Configuration) throws {
    let store = try Store(directory: configuration.data, for: .command)
    let issuer = TokenIssuer(key: try SigningKeyFile.load(configuration), lifetime: .seconds(86_400))
    for (user, token) in try UserAdministration(store: store).loadTestUsers(count, prefix: prefix, issuer) {
      print("\(EntityID.user.text(user.id)),\(user.username),\(token)")
    }
    try store.close()
  }
}

extension Role: ExpressibleByArgument {}
