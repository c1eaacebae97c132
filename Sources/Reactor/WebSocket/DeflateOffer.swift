/// What both ends agree on for permessage-deflate (RFC 7692 §7.1).
struct DeflateAgreement: Equatable {
  /// The window that we compress with, 9 to 15 bits.
  var serverWindowBits = 15
  /// The window that the client compresses with, 8 to 15 bits.
  var clientWindowBits = 15
  /// Each of our messages is compressed by itself.
  var serverForgets = false
  /// Each of the client's messages is.
  var clientForgets = false
  /// The value of `Sec-WebSocket-Extensions` in the answer.
  var answer = "permessage-deflate"
}

/// One offer of permessage-deflate, as a client makes it.
private struct DeflateOffer {
  private var serverWindowBits: Int?
  private var clientWindowBits: Int?
  private var serverForgets = false
  private var clientForgets = false

  /// False for what makes the offer one that must be declined: an unknown parameter, one twice, or a bad value.
  mutating func take(_ parameter: ExtensionElement.Parameter) -> Bool {
    switch (parameter.name, parameter.value) {
    case ("server_no_context_takeover", nil) where !serverForgets: serverForgets = true
    case ("client_no_context_takeover", nil) where !clientForgets: clientForgets = true
    case ("server_max_window_bits", let value?) where serverWindowBits == nil:
      guard let bits = Self.windowBits(value) else { return false }
      serverWindowBits = bits
    case ("client_max_window_bits", let value) where clientWindowBits == nil:
      guard let bits = value.map(Self.windowBits) ?? 15 else { return false }
      clientWindowBits = bits
    default: return false
    }
    return true
  }

  /// RFC 7692 §7.1.2: a decimal number without leading zeros.
  private static func windowBits(_ text: String) -> Int? {
    guard text.first != "0", text.allSatisfy(\.isNumber), let bits = Int(text), 8...15 ~= bits else {
      return nil
    }
    return bits
  }

  /// Nil where it cannot be met.
  func agreement(windowBits most: Int) -> DeflateAgreement? {
    var agreement = DeflateAgreement()
    agreement.serverWindowBits = min(serverWindowBits ?? 15, most)
    // zlib has no raw deflate with a window of 256 bytes.
    guard agreement.serverWindowBits > 8 else { return nil }
    agreement.serverForgets = serverForgets
    agreement.clientForgets = clientForgets
    if serverForgets { agreement.answer += "; server_no_context_takeover" }
    if clientForgets { agreement.answer += "; client_no_context_takeover" }
    // A window smaller than announced is ours to choose; only what was asked for is confirmed (§7.1.2.1).
    if serverWindowBits != nil {
      agreement.answer += "; server_max_window_bits=\(agreement.serverWindowBits)"
    }
    // The client's window may be limited only if it said that it can be (§7.1.2.2).
    if let clientWindowBits {
      agreement.clientWindowBits = min(clientWindowBits, most)
      agreement.answer += "; client_max_window_bits=\(agreement.clientWindowBits)"
    }
    return agreement
  }
}

extension DeflateAgreement {
  /// The first offer that can be met (RFC 7692 §5.1); nil if there is none.
  /// - Parameter most: bits of the largest window on either side.
  static func choose(_ offered: [ExtensionElement], windowBits most: Int) -> DeflateAgreement? {
    for element in offered where element.name == "permessage-deflate" {
      var offer = DeflateOffer()
      if element.parameters.allSatisfy({ offer.take($0) }), let agreement = offer.agreement(windowBits: most)
      {
        return agreement
      }
    }
    return nil
  }
}
