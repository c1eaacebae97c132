import Testing

@testable import App

@Suite struct ConfigurationTests {
  private func read(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> Configuration
  {
    var arguments = arguments
    return try Configuration(flags: SettingFlags(extractingFrom: &arguments), environment: environment)
  }

  private func failure(_ arguments: [String], _ environment: [String: String] = [:]) -> String? {
    do {
      _ = try read(arguments, environment)
      return nil
    } catch { return (error as? ConfigurationError)?.description }
  }

  @Test func `nothing set means the defaults`() throws {
    #expect(try read() == Configuration())
  }

  @Test func `every default is a value that its own setting takes`() {
    for setting in SettingTable.all where !["none", "DATA/jwt.key"].contains(setting.defaultText) {
      var configuration = Configuration()
      #expect(setting.apply(&configuration, setting.defaultText), "\(setting.name)")
      #expect(configuration == Configuration(), "\(setting.name)")
    }
  }

  @Test func `a flag is stronger than the environment, that than the file, that than the default`() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("c.json", #"{"port": 1, "host": "::1", "rate-limit": false}"#)
    let environment = ["WATTLOOP_PORT": "2", "WATTLOOP_HOST": "0.0.0.0", "WATTLOOP_CONFIG": file]
    let configuration = try read(["--port", "3"], environment)
    #expect(configuration.port == 3)
    #expect(configuration.host == "0.0.0.0")
    #expect(configuration.rateLimit == .off)
    #expect(configuration.data == "./data")
  }

  @Test func `an empty variable counts as unset`() throws {
    #expect(try read([], ["WATTLOOP_PORT": ""]).port == 8080)
  }

  @Test func `settings are taken out of the arguments wherever they stand`() throws {
    var arguments = ["user", "--port=9", "add", "bob", "--data", "d", "--role", "admin", "--", "--port", "1"]
    let flags = try SettingFlags(extractingFrom: &arguments)
    #expect(arguments == ["user", "add", "bob", "--role", "admin", "--", "--port", "1"])
    #expect(flags.values == ["port": "9", "data": "d"])
  }

  @Test func `a list adds up over flags and commas, and the last of other flags wins`() throws {
    let origins = [
      "--allow-origin", "https://a.example:443,HTTP://B.example", "--allow-origin", "http://c:81",
    ]
    let configuration = try read(origins + ["--port", "1", "--port", "2"])
    #expect(configuration.allowOrigin == ["https://a.example", "http://b.example", "http://c:81"])
    #expect(configuration.port == 2)
  }

  @Test(arguments: [
    ("port", "65536"), ("port", "-1"), ("port", "+1"), ("port", ""), ("port", "１"), ("host", "example"),
    ("access-ttl", "15"), ("access-ttl", "0s"), ("access-ttl", "9999999999999999999d"), ("max-body", "1MB"),
    ("max-body", "99999999999GiB"), ("scrypt-n", "1000"), ("scrypt-n", "1"), ("log-level", "loud"),
    ("rate-limit", "true"), ("allow-origin", "https://a/b"), ("allow-origin", "*"), ("data", ""),
  ])
  func `a wrong value is one line with the setting and its origin`(_ name: String, _ value: String) {
    let line = failure(["--\(name)", value])
    #expect(
      line?.hasPrefix("--\(name) (from the command line): '\(value)' is not ") == true, "\(line ?? "taken")")
  }

  @Test func `an error names the variable, and stays one line`() {
    let line = failure([], ["WATTLOOP_MAX_BODY": "1\n2"])
    #expect(line?.hasPrefix("--max-body (from WATTLOOP_MAX_BODY): '1 2' is not a size") == true)
  }

  @Test(arguments: [
    (#"{"prot": 1}"#, "has an unknown setting 'prot'"), ("[]", "it is not a JSON object"),
    ("{", "it is not a JSON object"), ("", "it is not a JSON object"),
    (#"{"port": {}}"#, "the value of 'port' is no text, number, boolean or list of texts"),
  ])
  func `a wrong file is one line`(_ contents: String, _ reason: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.file("c.json", contents)
    let line = failure(["--config", file])
    #expect(
      line?.hasPrefix("--config: '\(file)' ") == true && line?.hasSuffix(reason) == true, "\(line ?? "")")
  }

  @Test func `a file that is not there is an error`() {
    #expect(failure(["--config", "/nonexistent"])?.contains("there is no such file") == true)
  }

  @Test func `the help has every setting, its default, and no line that a terminal would break`() {
    for setting in SettingTable.all {
      #expect(SettingTable.helpText.contains("--\(setting.name) \(setting.placeholder)\n"))
    }
    #expect(SettingTable.helpText.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }
}

@Suite struct SettingValueTests {
  @Test(arguments: [
    ("250ms", Duration.milliseconds(250)), ("10s", .seconds(10)), ("15m", .seconds(900)),
    ("1h", .seconds(3600)),
    ("30d", .seconds(2_592_000)),
  ])
  func `a duration is read and written alike`(_ text: String, _ duration: Duration) {
    #expect(TimeSpan.parse(text) == duration)
    #expect(TimeSpan.text(duration) == text)
  }

  @Test(arguments: [
    "", "s", "10", "10 s", "-1s", "1.5s", "1S", "1w", "9223372036854775807d", "99999999999999d",
  ])
  func `what is no duration is refused`(_ text: String) { #expect(TimeSpan.parse(text) == nil) }

  @Test(arguments: [("123", 123), ("16KiB", 16384), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648)])
  func `a size is read and written alike`(_ text: String, _ size: Int) {
    #expect(ByteSize.parse(text) == size)
    #expect(ByteSize.text(size) == text)
  }

  @Test(arguments: ["", "KiB", "1kb", "1 KiB", "-1", "1.5MiB", "9223372036854775807GiB"])
  func `what is no size is refused`(_ text: String) { #expect(ByteSize.parse(text) == nil) }

  @Test(arguments: [
    ("https://App.example", "https://app.example"), ("http://a:80", "http://a"),
    ("https://a:80", "https://a:80"),
    ("http://[::1]:8080", "http://[::1]:8080"),
  ])
  func `an origin is brought to the form of browsers`(_ text: String, _ origin: String) {
    #expect(Origin.normalized(text) == origin)
  }

  @Test(arguments: [
    "", "https://", "a.example", "ftp://a", "https://a/", "https://a:", "https://a:99999", "https://u@a",
    "https://[::1", "https://a b", "null",
  ])
  func `what is no origin is refused`(_ text: String) { #expect(Origin.normalized(text) == nil) }
}
