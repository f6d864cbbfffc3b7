package tap

import (
	"slices"
	"sync"
	"time"
)

// A Call is one request that passed the tap, read or write. The SDK's retries
// of one call are several Calls with one InvocationID.
type Call struct {
	Seq       int // order of the replies, from 1
	Time      time.Time
	Took      time.Duration
	Service   string // signing name: "ec2", "logs", "monitoring"
	Operation string // "CreateVpc"; method and path if the tap does not know the protocol
	Region    string
	Account   string
	Principal string // caller's ARN; "" if unknown
	Role      string // ARN of the role behind an assumed-role session; "" for others
	UserAgent string

	Status    int
	ErrorCode string // as in the record: "Client.UnauthorizedOperation", "AccessDenied"; "" for success
	Undone    string // the first error code of a successful reply that did nothing: EC2 reports the failure of each resource in it; "" if something was done

	InvocationID string // amz-sdk-invocation-id; "" from clients that send none
	Attempt      int    // attempt= of amz-sdk-request, from 1; 0 if unknown

	Write    bool           // a management event that changes something
	Params   map[string]any // requestParameters of a write
	EventIDs []string       // IDs of the events that it raised
}

// journal stores the calls and events and passes them to subscribers.
type journal struct {
	mu     sync.Mutex
	calls  []Call
	events []Event
	errs   []error

	next     int
	onCall   map[int]func(Call)
	onEvent  map[int]func(Event)
	failures map[int]func(error)
}

func newJournal() *journal {
	return &journal{onCall: map[int]func(Call){}, onEvent: map[int]func(Event){}, failures: map[int]func(error){}}
}

// add numbers and stores the call, and runs then in the same order.
func (j *journal) add(c Call, then func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c.Seq = len(j.calls) + 1
	j.calls = append(j.calls, c)
	then()
	for _, f := range j.onCall {
		f(c)
	}
}

func (j *journal) put(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	for _, f := range j.onEvent {
		f(e)
	}
}

func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.errs = append(j.errs, err)
	for _, f := range j.failures {
		f(err)
	}
}

// subscribe adds f to m and returns a function that removes it.
func subscribe[T any](j *journal, m map[int]func(T), f func(T)) (stop func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.next++
	id := j.next
	m[id] = f
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(m, id)
	}
}

// OnCall calls f for each call from now on, in order, before the call's client
// has the reply. f must be quick and must not call the Tap.
func (t *Tap) OnCall(f func(Call)) (stop func()) { return subscribe(t.journal, t.journal.onCall, f) }

// OnEvent calls f for each event from now on, once the event is on its bus. f
// must be quick and must not call the Tap.
func (t *Tap) OnEvent(f func(Event)) (stop func()) { return subscribe(t.journal, t.journal.onEvent, f) }

// OnError calls f for each failure of the tap itself.
func (t *Tap) OnError(f func(error)) (stop func()) {
	return subscribe(t.journal, t.journal.failures, f)
}

// Calls returns the calls so far that f accepts, in order; a nil f accepts all.
func (t *Tap) Calls(f func(Call) bool) []Call {
	t.journal.mu.Lock()
	defer t.journal.mu.Unlock()
	var out []Call
	for _, c := range t.journal.calls {
		if f == nil || f(c) {
			out = append(out, c)
		}
	}
	return out
}

// Events returns the events that are on their bus, in order.
func (t *Tap) Events() []Event {
	t.journal.mu.Lock()
	defer t.journal.mu.Unlock()
	return slices.Clone(t.journal.events)
}

// Errs returns the failures of the tap itself: replies that never came, and
// events that no bus accepted. A run with such a failure proves nothing.
func (t *Tap) Errs() []error {
	t.journal.mu.Lock()
	defer t.journal.mu.Unlock()
	return slices.Clone(t.journal.errs)
}

// ByRole returns a function that accepts the calls of a role's sessions,
// received at or after since.
func ByRole(arn string, since time.Time) func(Call) bool {
	return func(c Call) bool { return c.Role == arn && !c.Time.Before(since) }
}

// Invocations counts calls as their callers made them: the SDK's retries of one
// call count once.
func Invocations(calls []Call) int {
	n, seen := 0, map[string]bool{}
	for _, c := range calls {
		if c.InvocationID == "" || !seen[c.InvocationID] {
			n++
		}
		seen[c.InvocationID] = true
	}
	return n
}
