// Package trigger turns EventBridge envelopes into scopes to check. It is strict
// about the envelope, whose account and region AWS sets. It is lenient about the
// detail: if the detail lacks something, the package widens the scope. It makes
// no AWS calls.
package trigger

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/lazy"
	"github.com/relight-aws/relight/internal/remedy"
)

// ErrIgnored means that an event is valid but relight has nothing to check:
// relight does not watch the call, AWS refused the call, the call names no
// resource of the watched type, or the record disagrees with its envelope.
var ErrIgnored = errors.New("ignored")

// An Event is the part of an envelope that relight uses.
type Event struct {
	Cause   remedy.Cause
	Account string
	Region  string
	Global  bool           // AWS sends all events of this service in one region, regardless of the region of the call
	Routine bool           // relight makes such calls too
	Deploy  bool           // CloudFormation made the call
	Scopes  []remedy.Scope // one per kind that the call can harm

	advised []advised // of each scope
}

// CauseOf returns the cause of the run of a scope, by the scope's index. Its
// advice is the one for the scope's kind.
func (e Event) CauseOf(i int) remedy.Cause {
	c := e.Cause
	c.Advice, c.Severity, c.Makes = e.advised[i].advice, e.advised[i].severity, e.advised[i].makes
	return c
}

// An advised has what a person should do about a call, how bad the call is, and whether
// it made what it names.
type advised struct {
	advice   string
	severity catalog.Severity
	makes    bool
}

type envelope struct {
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       time.Time       `json:"time"`
	Detail     json.RawMessage `json:"detail"`
}

// A record has the fields that decide what happens to a CloudTrail record. The
// paths in catalog.Calls say where the names of resources are.
type record struct {
	EventName          string `json:"eventName"`
	ErrorCode          string `json:"errorCode"`
	AWSRegion          string `json:"awsRegion"`
	RecipientAccountID string `json:"recipientAccountId"`
}

// An origin has the fields of a CloudTrail record that only people read. No
// decision depends on them, so an unreadable field stays empty.
type origin struct {
	EventTime       string   `json:"eventTime"`
	SourceIPAddress string   `json:"sourceIPAddress"`
	UserIdentity    identity `json:"userIdentity"`
}

var accountShape = lazy.Compile(`^\d{12}$`)

// Parse reads one EventBridge envelope. It returns an error that wraps
// ErrIgnored if relight has nothing to check, and another error if raw is not an
// envelope.
func Parse(raw []byte) (Event, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, fmt.Errorf("not an EventBridge envelope: %w", err)
	}
	if !accountShape.MatchString(e.Account) || !catalog.RegionShape.MatchString(e.Region) || e.Source == "" || e.DetailType == "" {
		return Event{}, fmt.Errorf("not an EventBridge envelope: account %q, region %q, source %q, detail-type %q",
			e.Account, e.Region, e.Source, e.DetailType)
	}
	var r record
	if err := json.Unmarshal(e.Detail, &r); err != nil {
		return Event{}, fmt.Errorf("event %s: detail: %w", e.ID, err)
	}
	ev := Event{Account: e.Account, Region: e.Region, Global: catalog.Global(e.Source), Deploy: byCloudFormation(e.Detail), Cause: cause(e, r.EventName)}
	switch {
	case r.ErrorCode != "":
		return ev, fmt.Errorf("%s was refused with %s: %w", r.EventName, r.ErrorCode, ErrIgnored)
	case r.RecipientAccountID != "" && r.RecipientAccountID != e.Account:
		return ev, fmt.Errorf("record of account %s in an envelope of %s: %w", r.RecipientAccountID, e.Account, ErrIgnored)
	case r.AWSRegion != "" && r.AWSRegion != e.Region:
		return ev, fmt.Errorf("record of region %s in an envelope of %s: %w", r.AWSRegion, e.Region, ErrIgnored)
	}
	calls := catalog.FindCalls(e.Source, e.DetailType, r.EventName)
	if len(calls) == 0 {
		return ev, fmt.Errorf("%s %q %s is not watched: %w", e.Source, e.DetailType, r.EventName, ErrIgnored)
	}
	var missing []string // the types of resources that the call names none of
	for _, call := range calls {
		names, foreign := namesAt(e.Detail, call.Path, call.Type)
		if foreign {
			missing = append(missing, string(call.Type))
			continue
		}
		if call.If == catalog.KeyRejectAlarm && names != "" {
			if names = onRecords(names); names == "" {
				continue
			}
		}
		if call.Type == catalog.FilteredGroup {
			ev.Cause.Parts, _ = namesAt(e.Detail, "requestParameters.filterName", catalog.Filter)
		}
		about := advised{advice(call, e.Detail), call.Severity, call.Makes}
		if len(ev.Scopes) == 0 { // people read about the first resource
			ev.Cause.Names, ev.Cause.Advice, ev.Cause.Severity = names, about.advice, about.severity
		}
		for _, kind := range call.Kinds {
			ev.Scopes = append(ev.Scopes, remedy.Scope{
				Account: e.Account, Region: e.Region, Kind: kind, Type: call.Type, Names: names,
			})
			ev.advised = append(ev.advised, about)
			ev.Routine = call.Routine
		}
	}
	if len(ev.Scopes) == 0 {
		return ev, fmt.Errorf("%s names no %s: %w", r.EventName, strings.Join(missing, ", "), ErrIgnored)
	}
	return ev, nil
}

// cause returns what people want to know about an event.
func cause(e envelope, name string) remedy.Cause {
	var o origin
	_ = json.Unmarshal(e.Detail, &o) // Unmarshal still reads the other fields if one has another type
	at, err := time.Parse(time.RFC3339, o.EventTime)
	if err != nil {
		at = e.Time
	}
	return remedy.Cause{
		EventID:   e.ID,
		EventName: cmp.Or(name, e.DetailType),
		Actor:     o.UserIdentity.String(),
		SourceIP:  o.SourceIPAddress,
		Time:      at,
	}
}
