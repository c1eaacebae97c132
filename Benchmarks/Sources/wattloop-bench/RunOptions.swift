import ArgumentParser

/// What all loads have in common.
struct RunOptions: ParsableArguments {
  @Option(help: "The server's address.") var host = "127.0.0.1"
  @Option(help: "The server's port; without it a wattloop server is started for the run, with a new store.")
  var port: UInt16?
  @Option(help: "The server's process, for its CPU time and memory.") var serverPid: Int?
  @Option(help: "The server's store: the wattloop program makes users and tokens in it.") var data: String?
  @Option(help: "An administrator who makes users over REST; the password is in WATTLOOP_PASSWORD.")
  var login: String?
  @Option(help: "A file of lines 'id,username,token' (wattloop user add --load-test N).") var tokens: String?
  @Option(help: "An access token, where one is needed for requests.") var token: String?
  @Option(help: "The wattloop program.") var wattloop: String?
  @Option(
    help: "SERVER,CLIENT: the core of a server that is started, and of this program; 'none' for any.")
  var cores = CorePair.first

  @Flag(help: "Print a line of JSON for each load; the line for people goes to standard error.")
  var json = false
  @Option(help: "Write a page with charts to that file.") var html: String?
  @Option(
    help: """
      A threshold, such as 'p99<20ms', 'errors==0', 'rate>=10000' or any figure of the report; may be repeated. One that \
      is missed ends the program with exit code 1.
      """)
  var slo: [Threshold] = []

  func validate() throws {
    guard port != nil || serverPid == nil && data == nil && login == nil && tokens == nil && token == nil
    else {
      throw ValidationError(
        "--server-pid, --data, --login, --tokens and --token are of a running server: name its --port")
    }
  }
}

/// On which cores server and client run.
struct CorePair: ExpressibleByArgument, CustomStringConvertible {
  let server: Int?
  let client: Int?

  static let first = CorePair(server: 0, client: 1)

  private init(server: Int?, client: Int?) {
    self.server = server
    self.client = client
  }

  init?(argument: String) {
    if argument == "none" {
      self.init(server: nil, client: nil)
      return
    }
    let cores = argument.split(separator: ",").map { Int($0) }
    guard cores.count == 2, let server = cores[0], let client = cores[1] else { return nil }
    self.init(server: server, client: client)
  }

  var description: String {
    guard let server, let client else { return "none" }
    return "\(server),\(client)"
  }
}

/// What a load says to the server.
enum BenchProtocol: String, ExpressibleByArgument, CaseIterable {
  /// The product's own: chat messages, stored before they are acknowledged.
  case wattloop
  /// Any WebSocket that sends back what it is sent.
  case echo
  /// GET from any HTTP server.
  case http
}
