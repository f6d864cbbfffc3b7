// Package tap records the AWS API calls that pass through a proxy, as
// CloudTrail does: each write becomes an event on the default bus of the region
// where it happened.
//
// The tap passes every request and reply through unchanged and knows nothing
// about the receivers of the events.
package tap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// Backend is what the tap needs from the account behind it, beside its API.
type Backend interface {
	// Put dispatches one event on the bus of the event's account and region. An
	// error that wraps ErrRefused is final; the tap retries after any other
	// error.
	Put(context.Context, Event) error
	// Identity returns the principal that an access key belongs to, or the zero
	// Identity if there is none.
	Identity(ctx context.Context, accessKey string) (Identity, error)
	// Alarms returns the stored metric alarms with these names, by name.
	Alarms(ctx context.Context, account, region string, names []string) (map[string]Alarm, error)
}

// ErrRefused marks an event that the backend will never accept.
var ErrRefused = errors.New("event refused")

// A Tap is an http.Handler in front of an AWS endpoint.
type Tap struct {
	backend Backend
	proxy   *httputil.ReverseProxy
	journal *journal
	out     *queue
	who     *directory
}

// New returns a tap in front of upstream. Close it to flush its events.
func New(upstream *url.URL, b Backend) *Tap {
	t := &Tap{backend: b, journal: newJournal(), who: &directory{ask: b.Identity}}
	t.out = newQueue(b.Put, t.journal)
	t.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host // the client signed this host
		},
		Transport: &http.Transport{
			DisableCompression: true, // compression would add a header that the client did not sign
			// The emulator sometimes drops an idle connection just as the next
			// call is sent on it, and that call would be lost.
			DisableKeepAlives: true,
		},
		ModifyResponse: t.answered,
		ErrorHandler:   t.failed,
	}
	return t
}

type ctxKey struct{}

// ServeHTTP passes one call on and records it.
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// The service would continue without its client, and so does the tap.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	if q.id, err = t.who.get(ctx, q.accessKey); err != nil {
		t.journal.fail(fmt.Errorf("tap: identify the caller of %s %s: %w", q.service, q.operation, err))
	}
	if q.alarms() != nil {
		q.before = t.storedAlarms(ctx, q)
	}
	t.proxy.ServeHTTP(w, r.WithContext(context.WithValue(ctx, ctxKey{}, q)))
}

// answered records the call. It runs before the client sees the reply, so a
// client that has the reply finds the call in Calls.
func (t *Tap) answered(resp *http.Response) error {
	q := resp.Request.Context().Value(ctxKey{}).(*request)
	rep, err := readReply(q, resp)
	if err != nil {
		return err
	}
	var events []Event
	if q.write() && rep.authenticated() {
		events = append(events, apiCall(q, rep))
		if rep.code == "" && q.alarms() != nil {
			events = append(events, t.alarmChanges(resp.Request.Context(), q)...)
		}
	}
	c := q.call()
	c.Status, c.ErrorCode, c.Undone, c.Took = resp.StatusCode, rep.code, rep.undone, time.Since(q.at)
	for _, e := range events {
		c.EventIDs = append(c.EventIDs, e.ID)
	}
	t.journal.add(c, func() { t.out.add(events...) })
	return nil
}

// failed records a call that got no reply. Its effect is unknown, so the tap
// raises no event.
func (t *Tap) failed(w http.ResponseWriter, r *http.Request, err error) {
	q := r.Context().Value(ctxKey{}).(*request)
	c := q.call()
	c.Status, c.ErrorCode, c.Took = http.StatusBadGateway, "NoReply", time.Since(q.at)
	t.journal.add(c, func() {})
	t.journal.fail(fmt.Errorf("tap: %s %s got no reply: %w", q.service, q.operation, err))
	w.WriteHeader(http.StatusBadGateway)
}

// Flush waits until every event so far is on its bus, or ctx ends.
func (t *Tap) Flush(ctx context.Context) error { return t.out.flush(ctx) }

// Close flushes and stops. Events that are still waiting when ctx ends are
// lost, and the error reports them.
func (t *Tap) Close(ctx context.Context) error { return t.out.close(ctx) }
