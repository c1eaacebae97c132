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
      UNION ALL
      SELECT 'position ' || e.position || ' is that of a message and of another event'
      FROM events e JOIN messages m ON m.position = e.position
      UNION ALL
      SELECT 'position ' || e.position || ' is that of an alert and of another event'
      FROM events e JOIN alert_events a ON a.position = e.position
      """, db, &report)
    try add(
      """
      SELECT 'conversation c' || m.conversation_id || ': seq ' || m.seq || ' belongs to nobody or nowhere'
      FROM messages m WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = m.sender_id)
        OR NOT EXISTS (SELECT 1 FROM conversations WHERE id = m.conversation_id)
      """, db, &report)
    try checkMarks(db, &report)
    try checkCounts(db, &report)
  }

  private static func checkMarks(_ db: Database, _ report: inout StoreCheck.Report) throws {
    try add(
      """
      SELECT 'conversation c' || m.conversation_id || ': user u' || m.user_id || ' has received up to '
        || m.received_seq || ', which is not there yet'
      FROM members m WHERE m.received_seq > coalesce(
        (SELECT max(seq) FROM messages WHERE conversation_id = m.conversation_id), 0)
      """, db, &report)
    try add(
      """
      SELECT 'conversation c' || conversation_id || ': user u' || user_id || ' has read up to ' || read_seq
        || ', shows ' || public_read_seq || ' and has received up to ' || received_seq
      FROM members WHERE read_seq > received_seq OR public_read_seq > read_seq
      """, db, &report)
  }

  /// What makes `unread` a difference: counted again, from the messages alone.
  private static func checkCounts(_ db: Database, _ report: inout StoreCheck.Report) throws {
    try add(
      """
      SELECT 'conversation c' || s.conversation_id || ': user u' || s.user_id || ' is said to have sent ' || s.sent
        || ' messages up to seq ' || c.counted_seq
      FROM sent_counts s JOIN conversations c ON c.id = s.conversation_id
      WHERE s.sent <> (SELECT count(*) FROM messages
        WHERE conversation_id = s.conversation_id AND seq <= c.counted_seq AND sender_id = s.user_id)
      """, db, &report)
    try add(
      """
      SELECT 'conversation c' || m.conversation_id || ': user u' || m.user_id || ' is said to have sent ' || m.own_read
        || ' of the messages up to seq ' || m.read_seq
      FROM members m WHERE m.own_read <> (SELECT count(*) FROM messages
        WHERE conversation_id = m.conversation_id AND seq <= m.read_seq AND sender_id = m.user_id)
      """, db, &report)
  }

  static func add(_ sql: String, _ db: Database, _ report: inout StoreCheck.Report) throws {
    let faults = try String.fetchCursor(db, sql: sql)
    while let fault = try faults.next() { report.add(fault) }
  }
}
