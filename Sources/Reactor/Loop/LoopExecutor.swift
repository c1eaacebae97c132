import Glibc

/// Runs Swift tasks on the loop's thread: each resumed job is a letter in the mailbox.
///
/// It must be both kinds of executor. With a serial executor alone, a continuation that another thread resumes goes
/// on in Swift's pool: a data race that no compiler sees.
public final class LoopExecutor: SerialExecutor, TaskExecutor {
  private let mailbox: Mailbox

  init(mailbox: Mailbox) { self.mailbox = mailbox }

  public func enqueue(_ job: consuming ExecutorJob) { mailbox.put(.job(UnownedJob(job))) }

  func run(_ job: UnownedJob) {
    job.runSynchronously(
      isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
  }
}
