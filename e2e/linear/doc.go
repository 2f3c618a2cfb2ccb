// Package linear checks that one image is linearizable: that every read and
// write of it, by whatever client and across crashes, looks as if it had taken
// effect at one instant between its call and its answer.
//
// A Load keeps clients busy on a Target, which may be a process behind HTTP and
// WebSocket or actors in this process, and writes what each was told into a
// History. History.Check looks with porcupine for an order of all calls that the
// Model of an image agrees with. The model knows versions, revs, compare-and-set
// and the order of lists, so it is about as strict as the contract.
//
// # Outcomes nobody knows
//
// A client that repeats an unanswered request, by seq or by Idempotency-Key, has
// one call, from its first attempt to its last answer: a second effect is then a
// change that no call explains. A client that does not repeat has a call with
// an unknown outcome: it took effect or it did not, but not after the process
// that it was sent to had ended. An unanswered read is no call at all.
package linear
