@testable import App

/// Private keys from the RFCs, and what else a key file may hold.
enum TestKeys {
  /// RFC 7515 appendix A.3, in SEC 1 and without its public part.
  static let sec1 = """
    -----BEGIN EC PRIVATE KEY-----
    MDECAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
    AwEH
    -----END EC PRIVATE KEY-----

    """

  /// The same in PKCS#8.
  static let pkcs8 = """
    -----BEGIN PRIVATE KEY-----
    MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCCOmxCecZCYv5gEh98f
    XXfpyylgbr7SJjtfV8IT34T0sg==
    -----END PRIVATE KEY-----

    """

  /// The same key's public part alone.
  static let publicPart = """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
    6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
    -----END PUBLIC KEY-----

    """

  /// RFC 8037 appendix A.1.
  static let ed25519 = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
    -----END PRIVATE KEY-----

    """

  /// Another curve.
  static let p384 = """
    -----BEGIN EC PRIVATE KEY-----
    MIGkAgEBBDBYEW1AAcMTWFTq72kAwvwb989lDcmlSBwJzE7r5+DGZDaXhRlsGy/v
    I6wBWoKfetygBwYFK4EEACKhZANiAASfzsL82zb+ye4eHY8wLURUiF1/K5spgyJ6
    HmR9IBR82MiJYcO/WmGCS/enW9fN61WVEFkhH014krQOLUSVQLEjrfjYw6rS2YrD
    vmi1dZ8H41mKu+IXlC7WNvM4OxnZCP0=
    -----END EC PRIVATE KEY-----

    """

  /// A key that agrees on secrets and cannot sign.
  static let x25519 = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VuBCIEIBCd05O1ygkK0A8WcjjhI2TGjt5OHrkEgNNoD5ToJgVp
    -----END PRIVATE KEY-----

    """

  /// PKCS#8 under a password.
  static let encrypted = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjdGPOfZ9qhvgICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEI8077wqWsjZyZb4IyuPZlcEgZC4
    oVPxrSI2EFDUaF5nzxFktNd+QCULxoEQ7A05FzgqR6xBL8roBUezUSqQ87qzpDJi
    1yOxQASQ0F/fodpuFeGsrPfZKd4Jf+HAMk64962KEYTp3DbjX6R5DyWjOgJ35Row
    J+xjHFUoC84LuSgMOjXh0W2+5hEx89jR9y8imClnSGKhMw4DgRPpQQFBuc3odxo=
    -----END ENCRYPTED PRIVATE KEY-----

    """

  /// SEC 1 under a password (RFC 1421).
  static let encryptedSEC1 = """
    -----BEGIN EC PRIVATE KEY-----
    Proc-Type: 4,ENCRYPTED
    DEK-Info: AES-128-CBC,900D321BC3B309CC567DFD9B3330D261

    tvXyehjQEI4JAYBTBPz5rxXJ2zmcH21aLrmcHFMehPjap7NiBJwR5bkVyAXZECq/
    SiAn9T9aRhdxYGm3o3BHrQpw0Oq0wGXxjzLbhG1zCN1Z2QdLikNCagX9zLZoo/wu
    li0rh5XO+dMRzo2O5fmPl6tpM1dxP0OGbwugyQjLijc=
    -----END EC PRIVATE KEY-----

    """

  /// The public part is another key's.
  static let mixed = """
    -----BEGIN EC PRIVATE KEY-----
    MHcCAQEEIPsGtXBEhqWPtxV3VMKcgreXNEjHhItINP5stfobG/dYoAoGCCqGSM49AwEHoUQDQgAE
    s0EQdBqhxN4d1o33fBuR2sOFH1NEbLysuSHpCPf8DXocRDL7yunmDE2WM9at1VPEhgu9DFo3Odc/
    67xQMWlg9w==
    -----END EC PRIVATE KEY-----

    """

  /// The number zero is no private key.
  static let zero = """
    -----BEGIN EC PRIVATE KEY-----
    MDECAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAoAoGCCqGSM49
    AwEH
    -----END EC PRIVATE KEY-----

    """

  static func read(_ pem: String) throws(PrivateKeyFailure) -> SigningKey {
    SigningKey(try PrivateKeyPEM.read(Array(pem.utf8)[...]))
  }
}

extension SigningKey {
  func signature(of text: String) throws -> [UInt8] {
    try Array(text.utf8).withUnsafeBytes { try signature(of: $0) }
  }

  func isSignature(_ signature: [UInt8], of text: String) -> Bool {
    Array(text.utf8).withUnsafeBytes { isSignature(signature, of: $0) }
  }
}
