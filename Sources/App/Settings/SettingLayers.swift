import Configuration

/// The places that settings come from, strongest first.
struct SettingLayers {
  /// A setting's text, and where it was found.
  struct Found {
    let text: String
    let origin: String
  }

  private struct Layer {
    let provider: any ConfigProvider
    /// What stands before a setting's name in this provider's keys.
    let prefix: [String]
    let origin: @Sendable (LookupResult) -> String
  }

  private let layers: [Layer]

  init(flags: SettingFlags, environment: [String: String]) throws(ConfigurationError) {
    var layers = [Self.flagLayer(flags), Self.environmentLayer(environment)]
    if let path = Self.value(of: "config", in: layers)?.text {
      let values = try SettingFile.read(path)
      layers.append(Layer(provider: Self.memory(values), prefix: [], origin: { _ in path }))
    }
    self.layers = layers
  }

  func value(of setting: Setting) -> Found? { Self.value(of: setting.name, in: layers) }

  private static func value(of name: String, in layers: [Layer]) -> Found? {
    for layer in layers {
      let key = AbsoluteConfigKey(layer.prefix + [name])
      // A lookup of text in these providers, which hold nothing but text, does not throw.
      guard let result = try? layer.provider.value(forKey: key, type: .string) else { continue }
      if case .string(let text)? = result.value?.content {
        return Found(text: text, origin: layer.origin(result))
      }
    }
    return nil
  }

  private static func flagLayer(_ flags: SettingFlags) -> Layer {
    Layer(provider: memory(flags.values), prefix: [], origin: { _ in "the command line" })
  }

  /// An empty variable counts as unset: compose files and unit files often pass one on.
  private static func environmentLayer(_ environment: [String: String]) -> Layer {
    let provider = EnvironmentVariablesProvider(
      environmentVariables: environment.filter { !$0.value.isEmpty })
    return Layer(provider: provider, prefix: ["wattloop"], origin: { $0.encodedKey })
  }

  private static func memory(_ values: [String: String]) -> InMemoryProvider {
    InMemoryProvider(
      values: Dictionary(
        uniqueKeysWithValues: values.map {
          (AbsoluteConfigKey([$0.key]), ConfigValue(.string($0.value), isSecret: false))
        }
      ))
  }
}
