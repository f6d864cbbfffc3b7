package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
)

const (
	mail  = `"protocol":"email","endpoint":"oncall@example.com"`
	queue = `"protocol":"sqs","endpoint":"arn:aws:sqs:eu-west-1:111122223333:oncall"`
	web   = `"protocol":"https","endpoint":"https://example.com/relight"`
	phone = `"protocol":"sms","endpoint":"+15555550100"`
)

// Each subscriber gets what it asked for: what nobody asked for is not sent, and a
// filter policy keeps the rest from those who asked for less.
func TestSubscribersMinimum(t *testing.T) {
	const high, low = `{"severity":["critical","high",{"exists":false}]}`, `{"severity":["critical","high","low",{"exists":false}]}`
	for raw, want := range map[string]struct {
		minimum catalog.Severity
		filters []string
	}{
		`{}`:                                {"info", nil},
		`{"subscribers":[{` + mail + `}]}`:  {"low", []string{""}},
		`{"subscribers":[{` + queue + `}]}`: {"info", []string{""}},
		`{"subscribers":[{` + mail + `},{` + phone + `}]}`:                                                             {"low", []string{"", ""}},
		`{"subscribers":[{` + mail + `},{` + queue + `}]}`:                                                             {"info", []string{low, ""}},
		`{"notify":{"minimum":"high"},"subscribers":[{` + mail + `},{` + queue + `}]}`:                                 {"high", []string{"", ""}},
		`{"notify":{"minimum":"high"},"subscribers":[{` + mail + `},{` + queue + `,"minimum":"low"}]}`:                 {"low", []string{high, ""}},
		`{"subscribers":[{` + mail + `,"minimum":"critical"},{` + queue + `,"minimum":"high"}]}`:                       {"high", []string{`{"severity":["critical",{"exists":false}]}`, ""}},
		`{"subscribers":[{` + mail + `,"minimum":"info"},{` + queue + `}]}`:                                            {"info", []string{"", ""}},
		`{"subscribers":[{` + mail + `},{` + queue + `,"filterPolicy":{"region":["eu-west-1"]}}]}`:                     {"info", []string{low, `{"region":["eu-west-1"]}`}},
		`{"subscribers":[{` + mail + `},{` + phone + `,"filterPolicy":{"region":["eu-west-1"]}}]}`:                     {"low", []string{"", `{"region":["eu-west-1"]}`}},
		`{"subscribers":[{` + mail + `},{` + queue + `,"filterPolicy":{"severity":["high","critical"]}}]}`:             {"low", []string{"", `{"severity":["critical","high"]}`}},
		`{"subscribers":[{` + mail + `},{` + queue + `,"minimum":"high","filterPolicy":{"kind":["trails","guard"]}}]}`: {"low", []string{"", `{"kind":["guard","trails"],"severity":["critical","high",{"exists":false}]}`}},
		`{"subscribers":[{` + mail + `,"filterPolicy":{}},{` + queue + `,"filterPolicy":{"severity":[{"anything-but":["info"]}]}}]}`: {
			"low", []string{"", `{"severity":[{"anything-but":["info"]}]}`},
		},
		`{"subscribers":[{` + web + `,"format":"chat"}]}`: {"low", []string{""}},
	} {
		c, err := config.Parse([]byte(raw))
		if err != nil {
			t.Errorf("Parse(%s): %v", raw, err)
			continue
		}
		b := c.Baseline()
		var filters []string
		filtered := false
		for _, s := range b.Subscribers {
			filters = append(filters, s.Filter)
			filtered = filtered || s.Filter != ""
		}
		if diff := cmp.Diff(want.filters, filters); diff != "" || c.Minimum() != want.minimum {
			t.Errorf("%s: minimum %s, want %s; filter policies (-want +got):\n%s", raw, c.Minimum(), want.minimum, diff)
		}
		for _, s := range b.LastHeard {
			if s.Filter != "" {
				t.Errorf("%s: the topic of last resort filters: %+v", raw, s)
			}
		}
		// A filter policy keeps alarms out, so the topic of last resort carries them.
		for _, control := range b.Controls {
			if control.Both != (filtered || control.ID == "tampering") {
				t.Errorf("%s: the alarm of %s notifies both topics: %t", raw, control.ID, control.Both)
			}
		}
		both := 0
		for _, alarm := range b.StackAlarms {
			if alarm.Both {
				both++
			}
		}
		if (both == len(b.StackAlarms)) != filtered {
			t.Errorf("%s: %d of %d alarms of the stack notify both topics", raw, both, len(b.StackAlarms))
		}
	}
}

func TestSubscribersRefused(t *testing.T) {
	for raw, want := range map[string]string{
		`{"notify":{"minimum":"hgih"}}`:                                                                                               `notify.minimum: there is no severity "hgih"`,
		`{"notify":{"minimun":"high"}}`:                                                                                               `unknown key "notify.minimun": did you mean "minimum"?`,
		`{"subscribers":[{` + mail + `,"minimum":"all"}]}`:                                                                            `subscribers[0].minimum: there is no severity "all"`,
		`{"subscribers":[{` + mail + `,"filterPolicy":{"severity":"high"}}]}`:                                                         "subscribers[0].filterPolicy.severity: use a list in [ ] instead of this string",
		`{"subscribers":[{` + mail + `,"filterPolicy":["high"]}]}`:                                                                    "subscribers[0].filterPolicy: use an object in { } instead of this array",
		`{"subscribers":[{` + mail + `,"filterPolicy":{"severity":["hgih"]}}]}`:                                                       `subscribers[0].filterPolicy.severity: there is no severity "hgih"`,
		`{"subscribers":[{` + mail + `,"filterPolicy":{"colour":["red"]}}]}`:                                                          `subscribers[0].filterPolicy chooses by "colour"`,
		`{"subscribers":[{` + mail + `,"filterPolicy":{"severity":[{"exists":1}]}}]}`:                                                 "subscribers[0].filterPolicy.severity[0] has no true or false",
		`{"subscribers":[{` + mail + `,"minimum":"low","filterPolicy":{"severity":["high"]}}]}`:                                       "minimum and filterPolicy.severity say the same",
		`{"subscribers":[{` + mail + `,"filterPolicy":{"severity":["low"]}}]}`:                                                        "every filterPolicy keeps some critical messages out",
		`{"subscribers":[{` + mail + `,"filterPolicy":{"region":["eu-west-1"]}},{` + queue + `,"filterPolicy":{"kind":["trails"]}}]}`: "every filterPolicy keeps some critical messages out",
		`{"subscribers":[{` + mail + `,"format":"slack"}]}`:                                                                           `subscribers[0].format "slack": use chat`,
		`{"subscribers":[{` + mail + `,"format":"chat"}]}`:                                                                            "subscribes by https",
		`{"subscribers":[{` + web + `},{"protocol":"https","endpoint":"https://example.com/chat","format":"chat"}]}`:                  "SNS sends the same text to every https subscriber",
		`{"subscribers":[{` + web + `}],"lastResort":{"subscribers":[{` + web + `,"format":"chat"}]}}`:                                "SNS sends the same text to every https subscriber",
		`{"lastResort":{"subscribers":[{` + mail + `,"minimum":"high"}]}}`:                                                            "lastResort.subscribers[0]: minimum and filterPolicy are for subscribers",
		`{"subscribers":[{` + mail + `},{"protocol":"email","endpoint":"OnCall@example.com","minimum":"high"}]}`:                      "subscribers[1] is listed before",
		`{"subscribers":[{` + phone + `},{` + phone + `,"minimum":"high"}]}`:                                                          "subscribers[1] is listed before",
	} {
		_, err := config.Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%s) = %v, want %s", raw, err, want)
		}
	}
}
