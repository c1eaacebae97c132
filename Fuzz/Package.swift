// swift-tools-version: 6.2

import PackageDescription

// Built by Scripts/fuzz, which lets the server's package instrument its targets, too.
let package = Package(
  name: "wattloop-fuzz",
  dependencies: [.package(name: "wattloop", path: "..")],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        .product(name: "Reactor", package: "wattloop"),
        .product(name: "App", package: "wattloop"),
      ],
      path: "Sources/Fuzz",
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .unsafeFlags(["-sanitize=fuzzer,address"]),
      ],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
  ]
)
