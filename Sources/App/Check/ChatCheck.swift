import GRDB

/// The rules of conversations: gapless sequences, one position an event, markers that point at messages.
enum ChatCheck {
  static func run(_ db: Database, _ report: inout StoreCheck.Report) throws {
    try add(
      """
      SELECT 'conversation c' || conversation_id || ': ' || count(*) || ' messages, but seq goes from '
        || min(seq) || ' to ' || max(seq)
      FROM messages GROUP BY conversation_id HAVING min(seq) <> 1 OR max(seq) <> count(*)
      """, db, &report)
    try add(
      """
      SELECT 'conversation c' || m.conversation_id || ': seq ' || m.seq || ' comes after a later position'
      FROM messages m JOIN messages n ON n.conversation_id = m.conversation_id AND n.seq = m.seq + 1
      WHERE n.position <= m.position
      """, db, &report)
    try add(
      """
      SELECT 'position ' || m.position || ' is that of a message and of an alert'
      FROM messages m JOIN alert_events e ON e.position = m.position
      """, db, &report)
    try add(
      """
      SELECT 'conversation c' || m.conversation_id || ': user u' || m.user_id || ' has read up to ' || m.read_seq
        || ', which is not there yet'
      FROM members m WHERE m.read_seq > coalesce(
        (SELECT max(seq) FROM messages WHERE conversation_id = m.conversation_id), 0)
      """, db, &report)
  }

  static func add(_ sql: String, _ db: Database, _ report: inout StoreCheck.Report) throws {
    let faults = try String.fetchCursor(db, sql: sql)
    while let fault = try faults.next() { report.add(fault) }
  }
}
