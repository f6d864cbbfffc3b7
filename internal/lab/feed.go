package lab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/lab/tap"
)

// A Line is one thing that happened in the lab.
type Line struct {
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"` // attack, refused, event, restored, echo or error
	Who    string    `json:"who,omitempty"`
	What   string    `json:"what"`
	Region string    `json:"region,omitempty"`
	// Account is that of a spoke, and empty for the lab's own.
	Account string `json:"account,omitempty"`
	Target  string `json:"target,omitempty"`
	Millis  int64  `json:"ms,omitempty"` // for a restoring write: time since the preceding attack
}

// String formats the line for a terminal.
func (l Line) String() string {
	s := fmt.Sprintf("%s  %-8s  %-10s %s %s", l.Time.Format("15:04:05.000"), l.Kind, l.Region, l.What, l.Target)
	if l.Kind == "restored" {
		s += fmt.Sprintf("  after %d ms", l.Millis)
	}
	if l.Who != "" {
		s += "  by " + l.Who
	}
	if l.Account != "" {
		s += "  in account " + l.Account
	}
	return s
}

// spokeOf returns the account if it is not the lab's own.
func spokeOf(account string) string {
	if account == Account {
		return ""
	}
	return account
}

// Feed calls emit for every write to the account, every event that the write
// raised, every write that a function made in response, and the echo of that
// write, until the caller calls stop.
func (a *Arena) Feed(emit func(Line)) (stop func()) {
	var mu sync.Mutex
	attacked := time.Now()
	stopCalls := a.Cloud.Tap.OnCall(func(c tap.Call) {
		if !c.Write {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		line := lineOf(c, a.Deployment, attacked)
		if line.Kind == "attack" {
			attacked = c.Time
		}
		emit(line)
	})
	stopEvents := a.Cloud.Tap.OnEvent(func(e tap.Event) {
		var detail struct {
			EventName    string
			UserIdentity struct {
				ARN            string
				SessionContext struct{ SessionIssuer struct{ ARN string } }
			}
		}
		_ = json.Unmarshal(e.Detail, &detail) // the direct events have neither
		line := Line{Time: time.Now(), Kind: "event", Account: spokeOf(e.Account), Region: e.Region, What: e.Source + " " + cmp.Or(detail.EventName, e.DetailType), Target: e.ID}
		if _, ours := a.Deployment.By(detail.UserIdentity.SessionContext.SessionIssuer.ARN, detail.UserIdentity.ARN); ours {
			line.Kind = "echo"
		}
		mu.Lock()
		defer mu.Unlock()
		emit(line)
	})
	stopErrors := a.Cloud.Tap.OnError(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		emit(Line{Time: time.Now(), Kind: "error", What: err.Error()})
	})
	return func() { stopCalls(); stopEvents(); stopErrors() }
}

// lineOf returns the line of a write. attacked is the time of the preceding
// attack.
func lineOf(c tap.Call, deployed *Deployment, attacked time.Time) Line {
	line := Line{Time: c.Time, Account: spokeOf(c.Account), Region: c.Region, What: c.Service + " " + c.Operation, Target: targetOf(c.Params)}
	f, ours := deployed.By(c.Role, c.Principal)
	switch failure := cmp.Or(c.ErrorCode, c.Undone); {
	case failure != "":
		line.Kind, line.Who, line.What = "refused", shortARN(c.Principal), line.What+" "+failure
	case ours:
		line.Kind, line.Who, line.Millis = "restored", f.Name, c.Time.Add(c.Took).Sub(attacked).Milliseconds()
	default:
		line.Kind, line.Who = "attack", shortARN(c.Principal)
	}
	return line
}

// targetOf returns the names in a call's parameters, from the narrowest to the
// widest.
func targetOf(params map[string]any) string {
	for _, key := range []string{
		"filterName", "alarmName", "alarmNames", "logGroupName", "logGroupIdentifier", "resourceIdentifier", "subscriptionArn", "topicArn",
		"trailName", "bucketName", "keyId", "roleName", "policyArn", "functionName", "regionName", "rule", "name",
	} {
		if v, ok := params[key]; ok {
			return short(v)
		}
	}
	for _, v := range params {
		if inner, ok := v.(map[string]any); ok {
			for _, key := range []string{"ResourceId", "FlowLogId", "VpcId"} {
				if id, ok := inner[key]; ok {
					return short(id)
				}
			}
		}
	}
	return ""
}

func short(v any) string {
	switch v := v.(type) {
	case []any:
		if len(v) > 2 {
			return fmt.Sprintf("%v and %d more", v[0], len(v)-1)
		}
	case map[string]any:
		if content, ok := v["content"]; ok {
			return fmt.Sprint(content)
		}
	}
	return strings.Trim(fmt.Sprint(v), "[]")
}

func shortARN(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
