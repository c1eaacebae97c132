/// When a job of the writer's reached each stage, nanoseconds of a clock that never goes back; 0 where it has not.
struct WriterTimes {
  /// It could have begun. A batch of messages: what came in the tick of its first request was in it.
  var opened: UInt64 = 0
  /// Its transaction began, and was committed.
  var began: UInt64 = 0
  var committed: UInt64 = 0
}
