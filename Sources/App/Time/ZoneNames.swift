import Foundation
import Synchronization

extension ZoneRules {
  /// The rules of a zone of the IANA database, or of a link such as `US/Eastern`. nil if there is none of that
  /// name; upper and lower case count.
  ///
  /// A table takes up to a millisecond to make, so each is made once. Only names that exist are kept: what
  /// clients send cannot make the cache grow.
  static func named(_ identifier: String) -> ZoneRules? {
    guard isZoneName(identifier) else { return nil }
    if let known = cache.withLock({ $0[identifier] }) { return known }
    guard let zone = TimeZone(identifier: identifier) else { return nil }
    let rules = ZoneRules(zone, identifier: identifier)
    return cache.withLock { cache in
      // Another thread may have made the same one meanwhile.
      if let known = cache[identifier] { return known }
      cache[identifier] = rules
      return rules
    }
  }

  static let utc = ZoneRules(TimeZone.gmt, identifier: "UTC")

  private static let cache = Mutex<[String: ZoneRules]>([:])

  /// Foundation takes more than the database's names: offsets (`GMT+5`), ICU's abbreviations (`IST` is India's
  /// there, and `BST` Bangladesh's), System V's zones. Without a slash therefore only the names on the list.
  private static func isZoneName(_ identifier: String) -> Bool {
    guard identifier.utf8.count <= 64, identifier.utf8.allSatisfy(isNameByte) else { return false }
    guard identifier.utf8.contains(UInt8(ascii: "/")) else { return namesWithoutSlash.contains(identifier) }
    return !identifier.hasPrefix("SystemV/") && !identifier.hasPrefix("GMT") && !identifier.hasPrefix("UTC")
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"): true
    default: false
    }
  }

  private static let namesWithoutSlash: Set<String> = [
    "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0",
    "GMT-0",
    "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein",
    "Libya", "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal",
    "ROC",
    "ROK", "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
  ]
}
