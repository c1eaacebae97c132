// swift-tools-version: 6.2

import PackageDescription

var swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  // Async functions stay on their caller's executor: on the loop (see Loop/LoopExecutor.swift).
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  // Overlapping accesses are found by the compiler, and in debug builds, which the tests run, at run time too. In
  // release the run-time part would be more than a third of the instructions of an echoed message.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// Scripts/fuzz sets it: libFuzzer must see which branches of our own code are taken, and that code should run fast. Other packages'
// is left as it is, or the build would take three times as long.
if Context.environment["WATTLOOP_FUZZ"] != nil {
  swift.append(.unsafeFlags(["-sanitize=fuzzer,address", "-O", "-assert-config", "Debug"]))
}

let package = Package(
  name: "wattloop",
  products: [
    .library(name: "Reactor", targets: ["Reactor"]),
    .library(name: "App", targets: ["App"]),
    .executable(name: "wattloop", targets: ["wattloop"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CDocuments", exclude: ["asyncapi.json", "docs.html", "openapi.json"]),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Reactor", dependencies: ["CLinux", "COpenSSL", "CZlib"], swiftSettings: swift),
    .target(
      name: "App",
      dependencies: [
        "Reactor", "CDocuments", "COpenSSL", "CSQLite",
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ],
      swiftSettings: swift),
    .executableTarget(
      name: "wattloop",
      dependencies: [
        "App", "Reactor",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Server",
      swiftSettings: swift),
    .testTarget(name: "ReactorTests", dependencies: ["Reactor", "CLinux"], swiftSettings: swift),
    .testTarget(
      name: "AppTests",
      dependencies: [
        "App", "Reactor",
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swift),
  ]
)
