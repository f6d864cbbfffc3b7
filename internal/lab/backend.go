package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/lab/tap"
)

var _ tap.Backend = (*Emulator)(nil)

// Put puts one event on a bus of the event's account and region, whatever its
// source. The event keeps its ID and time.
func (e *Emulator) Put(ctx context.Context, ev tap.Event) error {
	body, err := json.Marshal([]tap.Event{ev})
	if err != nil {
		return err
	}
	return e.lab(ctx, http.MethodPost, "events", bytes.NewReader(body), nil)
}

// Identity returns the principal that an access key belongs to, or the zero
// Identity if there is none.
func (e *Emulator) Identity(ctx context.Context, accessKey string) (id tap.Identity, err error) {
	return id, e.lab(ctx, http.MethodGet, "identity/"+url.PathEscape(accessKey), nil, &id)
}

// Alarms returns the stored metric alarms with these names, by name; no names
// mean all alarms.
func (e *Emulator) Alarms(ctx context.Context, account, region string, names []string) (found map[string]tap.Alarm, err error) {
	path := "alarms/" + account + "/" + region + "?" + url.Values{"name": names}.Encode()
	return found, e.lab(ctx, http.MethodGet, path, nil, &found)
}

// A Pending is a subscription that its owner has not confirmed, with the
// contents of the mail to the owner: pass the token to sns:ConfirmSubscription.
type Pending struct {
	TopicARN string `json:"topicArn"`
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
	Token    string `json:"token"`
}

// Pending returns the unconfirmed subscriptions of a region.
func (e *Emulator) Pending(ctx context.Context, account, region string) (found []Pending, err error) {
	return found, e.lab(ctx, http.MethodGet, "pending/"+account+"/"+region, nil, &found)
}

// Poll makes functions receive the messages of these queues, by default of all, or
// not. Messages that they do not receive stay in the queues. No event source mapping
// changes.
func (e *Emulator) Poll(ctx context.Context, on bool, queues ...string) error {
	path := "poll/off"
	if on {
		path = "poll/on"
	}
	return e.lab(ctx, http.MethodPost, strings.Join(append([]string{path}, queues...), "/"), nil, nil)
}

// Schedules makes schedules invoke their targets, or not.
func (e *Emulator) Schedules(ctx context.Context, on bool) error {
	path := "schedules/off"
	if on {
		path = "schedules/on"
	}
	return e.lab(ctx, http.MethodPost, path, nil, nil)
}

// Cold ends the processes of functions, so that each function starts cold, as Lambda
// may let it at any time.
func (e *Emulator) Cold(ctx context.Context) error {
	return e.lab(ctx, http.MethodPost, "cold", nil, nil)
}

// Age makes the roles of an account older, as if its stacks had been there for longer.
func (e *Emulator) Age(ctx context.Context, account string, by time.Duration) error {
	return e.lab(ctx, http.MethodPost, fmt.Sprintf("age/%s/%d", account, int(by.Seconds())), nil, nil)
}

// Drop removes all messages from the queues that feed functions. It is no call to
// AWS, so nothing reports it.
func (e *Emulator) Drop(ctx context.Context) error {
	return e.lab(ctx, http.MethodPost, "drop", nil, nil)
}

// lab calls one of the launcher's own endpoints.
func (e *Emulator) lab(ctx context.Context, method, path string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, e.URL+"/_lab/"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("X-Lab-Token", e.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", tap.ErrRefused, bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
