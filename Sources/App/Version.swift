/// The program's version, as `--version` and `/version` show it.
public enum Version {
  public static let current = "0.1.0"
}
