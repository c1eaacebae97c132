import Foundation

/// A config file: one JSON object, `{"port": 8080, "allow-origin": ["https://app.example"]}`.
///
/// It is decoded here and not by the library's file provider, because that cannot say which keys a file has,
/// and a misspelt key must not pass in silence.
enum SettingFile {
  static func read(_ path: String) throws(ConfigurationError) -> [String: String] {
    let values: [String: Scalar]
    do {
      values = try JSONDecoder().decode([String: Scalar].self, from: Data(contentsOf: URL(filePath: path)))
    } catch let error as DecodingError {
      throw .unreadableFile(path, reason(error))
    } catch {
      throw .unreadableFile(
        path, (error as NSError).isMissingFile ? "there is no such file" : "access failed")
    }
    for key in values.keys.sorted() where SettingTable.setting(named: key) == nil {
      throw .unknownKey(key, path: path)
    }
    return values.mapValues(\.text)
  }

  /// The key at fault, if the decoder got that far; never a dump of the error.
  private static func reason(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      context.codingPath.first.map {
        "the value of '\($0.stringValue)' is no text, number, boolean or list of texts"
      }
        ?? "it is not a JSON object"
    case .keyNotFound, .dataCorrupted: "it is not a JSON object"
    @unknown default: "it is not a JSON object"
    }
  }

  /// A value as the flag would have it.
  private struct Scalar: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        text = flag ? "on" : "off"
      } else if let number = try? container.decode(Int64.self) {
        text = "\(number)"
      } else if let list = try? container.decode([String].self) {
        text = list.joined(separator: ",")
      } else {
        text = try container.decode(String.self)
      }
    }
  }
}

extension NSError {
  fileprivate var isMissingFile: Bool {
    domain == NSCocoaErrorDomain && code == CocoaError.fileReadNoSuchFile.rawValue
  }
}
