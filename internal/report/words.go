package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/relight-aws/relight/internal/lazy"
)

// saying has what people call the calls whose names do not say it well.
var saying = map[string]string{
	"StopLogging":                 "CloudTrail stopped",
	"DeleteTrail":                 "CloudTrail trail deleted",
	"UpdateTrail":                 "CloudTrail trail changed",
	"PutEventSelectors":           "CloudTrail's event selectors changed",
	"CreateTrail":                 "another trail created",
	"Unsubscribe":                 "subscriber removed from a topic",
	"ScheduleKeyDeletion":         "deletion of a KMS key scheduled",
	"DisableKey":                  "KMS key disabled",
	"PutKeyPolicy":                "policy of a KMS key changed",
	"DeleteImportedKeyMaterial":   "material of a KMS key deleted",
	"SetTopicAttributes":          "topic changed",
	"SetSubscriptionAttributes":   "subscription changed",
	"PutAlarmMuteRule":            "alarms muted",
	"SetAlarmState":               "alarm's state set by hand",
	"PurgeQueue":                  "queue emptied",
	"StartMessageMoveTask":        "queue's messages moved",
	"ExecuteChangeSet":            "stack changed",
	"SetStackPolicy":              "stack policy changed",
	"CreatePolicyVersion":         "IAM policy changed",
	"SetDefaultPolicyVersion":     "IAM policy changed",
	"UpdateAssumeRolePolicy":      "trust of a role changed",
	"PutRolePermissionsBoundary":  "permissions boundary of a role changed",
	"PutFunctionConcurrency":      "function's concurrency limited",
	"UpdateTerminationProtection": "termination protection changed",

	"CloudWatch Alarm Configuration Change": "alarm changed",
}

// verbs maps the first word of a call's name to what was done.
var verbs = map[string]string{
	"Delete": "deleted", "Create": "created", "Put": "changed", "Update": "changed", "Set": "changed", "Disable": "disabled", "Enable": "enabled",
	"Remove": "removed", "Add": "added", "Attach": "attached", "Detach": "detached", "Associate": "associated", "Disassociate": "removed", "Untag": "untagged", "Label": "labelled",
}

var (
	apiVersion = lazy.Compile(`20\d{6}(v\d+)?$`) // Lambda's records name calls with the version of the API
	humps      = lazy.Compile(`[A-Z]+[a-z0-9]*`)
)

// initials are words of names of calls that are written in capitals.
var initials = map[string]string{"Vpc": "VPC", "Kms": "KMS", "Acl": "ACL"}

// phrase says what a call did, to how many: "metric filter deleted", "18 alarms deleted".
func phrase(event string, n int) string {
	name := apiVersion.ReplaceAllString(event, "")
	if said, ok := saying[name]; ok {
		if n > 1 {
			said += fmt.Sprintf(" %d times", n)
		}
		return said
	}
	words := humps.FindAllString(name, -1)
	verb, known := "", false
	if len(words) > 1 {
		verb, known = verbs[words[0]]
	}
	if !known {
		return oneLine(event)
	}
	for i, w := range words {
		if words[i] = strings.ToLower(w); initials[w] != "" {
			words[i] = initials[w]
		}
	}
	what := strings.Join(words[1:], " ")
	if n > 1 {
		return fmt.Sprintf("%d %s %s", n, plural(what), verb)
	}
	if strings.HasSuffix(what, "logs") || strings.HasSuffix(what, "alarms") || strings.HasSuffix(what, "tags") || strings.HasSuffix(what, "targets") {
		what = strings.TrimSuffix(what, "s")
	}
	return what + " " + verb
}

// plural returns the plural of what something is: "flow logs of" for "flow log of".
func plural(thing string) string {
	head, of, found := strings.Cut(thing, " of")
	switch {
	case strings.HasSuffix(head, "s"):
	case strings.HasSuffix(head, "y") && !strings.HasSuffix(head, "key"):
		head = strings.TrimSuffix(head, "y") + "ies"
	default:
		head += "s"
	}
	if found {
		head += " of" + of
	}
	return head
}

// done turns an order to take something away into what was done: "deleted flow-log fl-1"
// for "delete flow-log fl-1".
func done(do string) string {
	verb, rest, _ := strings.Cut(do, " ")
	for now, then := range map[string]string{"delete": "deleted", "remove": "removed", "detach": "detached", "clear": "cleared"} {
		if verb == now {
			return then + " " + rest
		}
	}
	return do
}

// shortActor returns the part of a caller that tells people apart:
// "user/intruder" for its ARN.
func shortActor(actor string) string {
	who, _, _ := strings.Cut(actor, ", ")
	if !strings.HasPrefix(who, "arn:") {
		return who
	}
	parts := strings.SplitN(who, ":", 6)
	if len(parts) < 6 {
		return who
	}
	resource := strings.Split(parts[5], "/")
	if resource[0] == "user" && len(resource) > 2 {
		resource = []string{"user", resource[len(resource)-1]}
	}
	if resource[0] == "assumed-role" && len(resource) > 2 {
		resource = resource[1:] // the role and its session
	}
	return strings.Join(resource, "/")
}

// ascii returns a text without what a subject may not have.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// short cuts the middle out of a text, so that it has no more than n bytes of ASCII.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if n < 5 {
		return s[:max(n, 0)]
	}
	return s[:(n-3+1)/2] + "..." + s[len(s)-(n-3)/2:]
}

// few lists the first of some names and how many there are besides.
func few(names []string, total, show int) string {
	if total <= show+1 && len(names) == total {
		return strings.Join(names, ", ")
	}
	show = min(show, len(names))
	return fmt.Sprintf("%s and %d more", strings.Join(names[:show], ", "), total-show)
}

// past turns why something is to be restored into why it was.
var past = strings.NewReplacer("it does not ", "it did not ", "it is ", "it was ", "it has ", "it had ", "it lacks ", "it lacked ", "filter measures it", "filter measured it", "none covers", "none covered", "delivers to it", "delivered to it")

// unique returns the texts in order and without repeats.
func unique(all []string) []string {
	out := make([]string, 0, len(all))
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
