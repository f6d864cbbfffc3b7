package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

const (
	makesGroup  = "create log-group " // begins the action that creates a log group
	mostText    = 500                 // bytes of a summary in the text
	mostSubject = 99                  // ASCII characters of a subject, which SNS wants to be less than 100. Source: SNS API Reference, Publish.
)

// subject returns the subject of a notification: how bad it is, what happened, by whom,
// how it ended, and where.
func (d *Document) subject() string {
	head := "[relight " + strings.ToUpper(string(d.Severity)) + "] "
	tail := " (" + d.Account + " " + d.where() + ")"
	return head + ascii(d.summary(mostSubject-len(head)-len(tail))) + tail
}

func (d *Document) where() string {
	if len(d.Regions) == 1 {
		return ascii(d.Regions[0])
	}
	return fmt.Sprintf("%d regions", len(d.Regions))
}

// summary says in at most n bytes what happened, by whom and how it ended. If it is
// longer, the caller is cut first, and how it ended last.
func (d *Document) summary(n int) string {
	what, who, end := d.what(), "", d.end()
	if len(d.Actors) > 0 {
		who = " by " + shortActor(d.Actors[0])
		if more := len(d.Actors) - 1; more > 0 {
			who += fmt.Sprintf(" and %d more", more)
		}
	}
	if what == "" {
		return short(ascii(end), n)
	}
	if len(what)+len(who)+2+len(end) > n && len(d.Actors) == 1 {
		name := shortActor(d.Actors[0])
		who = " by " + name[strings.LastIndex(name, "/")+1:] // a user or session without its kind or role
	}
	if over := len(what) + len(who) + 2 + len(end) - n; over > 0 && who != "" {
		if left := len(who) - over; left > 8 {
			who = " by " + short(ascii(strings.TrimPrefix(who, " by ")), left-4)
		} else {
			who = ""
		}
	}
	return short(short(ascii(what), max(12, n-len(who)-2-len(end)))+who+": "+end, n)
}

// what says which call the message is about, and how often it was made.
func (d *Document) what() string {
	switch {
	case d.daily:
		return "daily digest"
	case len(d.Causes) == 0 && d.first:
		return "first sweep"
	case len(d.Causes) == 0:
		return ""
	}
	count, names := map[string]int{}, map[string]map[string]bool{} // calls, and what they name, by event
	for _, c := range d.Causes {
		count[c.EventName]++
		if names[c.EventName] == nil {
			names[c.EventName] = map[string]bool{}
		}
		for _, n := range c.Names {
			names[c.EventName][n] = true
		}
	}
	first := d.Causes[0].EventName
	for _, c := range d.Causes {
		if max(count[c.EventName], len(names[c.EventName])) > max(count[first], len(names[first])) {
			first = c.EventName
		}
	}
	n := len(names[first])
	if d.MoreCalls > 0 && len(count) == 1 { // the other calls may have named others
		n = max(n, len(d.Restored))
	}
	if n <= 1 { // they name what they took something from, or nothing
		n = max(count[first], d.many(first))
	}
	said := phrase(first, n)
	if slices.ContainsFunc(d.Restored, func(i Item) bool { return i.Kind == catalog.Guard }) {
		said = "relight's own " + said
	}
	if all := count[first] + d.MoreCalls; all > n && (count[first] > n || len(count) == 1) {
		said += fmt.Sprintf(" in %d calls", all)
		if d.MoreCalls > 0 {
			said += " or more"
		}
	}
	if more := len(count) - 1; more > 0 {
		said += " and more"
	}
	return said
}

// hears reports whether events reach relight through an item.
func (i Item) hears() bool {
	return i.Kind == catalog.Guard && (slices.Contains([]string{"rule", "target of rule", "event source mapping of queue", "settings of queue"}, i.Thing) ||
		strings.HasPrefix(i.Action, "remove reserved concurrency "))
}

// many returns how many protections came back after a call whose event names none of
// them.
func (d *Document) many(event string) int {
	if event != "DeleteFlowLogs" || len(d.Causes) != 1 {
		return 1
	}
	return len(d.Restored) + len(d.Failed) + len(d.Remaining)
}

// end says how it ended.
func (d *Document) end() string {
	bad, good := len(d.Failed)+len(d.Remaining), len(d.Restored)
	caused := len(d.Causes) > 0
	switch {
	case d.daily:
		return fmt.Sprintf("%d open", bad+len(d.Unread)+len(d.Findings)+len(d.Postponed))
	case bad > 0 && good > 0:
		return fmt.Sprintf("%d of %d NOT restored", bad, bad+good)
	case bad > 0 && caused:
		return "NOT undone"
	case bad > 0:
		return fmt.Sprintf("%s NOT restored", counted(bad, "protection"))
	case len(d.Postponed) > 0 && caused:
		return "NOT undone, relight is paused"
	case len(d.Postponed) > 0:
		return counted(len(d.Postponed), "protection") + " NOT restored, relight is paused"
	case d.PauseEnded != "" && len(d.Unread) == 0:
		return fmt.Sprintf("the pause is over, %d restored", good) + d.also()
	case len(d.Unread) > 0:
		return "could not check " + kindsOf(d.Unread)
	case good > 0 && d.waits > 0 && caused:
		return "undone in part" + d.also()
	case good > 0 && d.forGood > 0 && caused:
		return "records LOST"
	case good > 0 && d.forGood > 0:
		return counted(good, "protection") + " restored, records LOST"
	case (good > 0 || d.undone && len(d.Created) == 0) && caused:
		return "undone" + d.also()
	case good > 0:
		return counted(good, "protection") + " restored, announced by no event" + d.also()
	case len(d.Created) == 1:
		return d.Created[0].name() + " created" + d.also()
	case len(d.Created) > 0:
		return counted(len(d.Created), "protection") + " created" + d.also()
	case len(d.Notices) > 0:
		return "please check"
	case len(d.Findings) > 0 && caused:
		return "needs action"
	case len(d.Findings) == 1:
		f := d.Findings[0]
		about, arn, found := strings.Cut(f.Subject, " arn:")
		if found {
			about += " " + arn[strings.LastIndexAny(arn, ":/")+1:]
		}
		return about + ": " + f.Problem
	case len(d.Findings) > 0:
		return fmt.Sprintf("%d findings need action", len(d.Findings))
	case d.Pause != nil:
		return "relight is paused until " + clock(d.Pause.Until) + " by " + shortActor(d.Pause.By)
	case len(d.Remembered) == 1:
		return "relight will " + d.Remembered[0].Action
	}
	return "relight remembers something new"
}

// also says that a person has something to do besides.
func (d *Document) also() string {
	if len(d.Findings)+len(d.Notices) > 0 {
		return ", needs action"
	}
	return ""
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %s", n, plural(what))
}

func kindsOf(unread []Problem) string {
	var kinds []string
	for _, u := range unread {
		if parts := strings.Split(u.Scope, "/"); len(parts) > 2 {
			kinds = append(kinds, parts[2])
		}
	}
	kinds = unique(kinds)
	return few(kinds, len(kinds), 2)
}

// name says what an item is: "metric filter relight-root-usage".
func (i Item) name() string {
	if i.Thing == "" {
		return done(i.Action)
	}
	return i.Thing + " " + i.short()
}

// short returns the target, without the first parts of the ARN of a trail.
func (i Item) short() string {
	if i.Kind == catalog.Trails {
		return i.Target[strings.LastIndex(i.Target, "/")+1:]
	}
	return i.Target
}

// off says for how long something was off, or since when it is.
func (d *Document) off() string {
	if d.Outcome == OutcomeNotRestored && len(d.Causes) > 0 && !d.Causes[0].Time.IsZero() {
		return "since " + d.Causes[0].Time.UTC().Format("15:04:05") + " UTC"
	}
	if d.OffSeconds == nil {
		return "for an unknown time"
	}
	about := "for about "
	if d.later {
		about = "at times, for at most "
	}
	return about + (time.Duration(*d.OffSeconds) * time.Second).String()
}

// lost says what is lost although the protection is back: first the records that are
// gone, then what was not recorded or noticed meanwhile.
func (d *Document) lost() {
	again := slices.Concat(d.Restored, d.Failed, d.Remaining)
	of := func(match func(Item) bool) []string {
		var names []string
		for _, i := range again {
			if match(i) {
				names = append(names, i.short())
			}
		}
		return unique(names)
	}
	does := func(prefix string) func(Item) bool {
		return func(i Item) bool { return strings.HasPrefix(i.Action, prefix) }
	}
	say := func(names []string, format string) int {
		if len(names) > 0 {
			d.Lost = append(d.Lost, fmt.Sprintf(format, few(names, len(names), 3)))
		}
		return len(names)
	}
	groups := of(does(makesGroup))
	d.forGood = say(groups, "the records that were in log group %s are gone; nothing brings them back")
	if d.forGood > 0 && slices.ContainsFunc(again, func(i Item) bool { return i.Kind == catalog.LogGroups && does(makesGroup)(i) }) {
		d.Lost[len(d.Lost)-1] += ". CloudTrail wrote the same events into the trail's bucket"
	}
	if len(d.Causes) == 0 {
		return // nobody knows since when the rest was off
	}
	trails := of(func(i Item) bool { return does("start logging ")(i) || does("create trail ")(i) })
	say(trails, "trail %s recorded nothing "+d.off()+". CloudTrail's event history has the management events of that time: aws cloudtrail lookup-events")
	say(of(does("create flow-log ")), "the traffic of %s was not recorded "+d.off())
	if d.forGood == 0 {
		say(of(does("put metric-filter ")), "nothing was counted by %s "+d.off()+"; the log group has the events of that time")
	}
	say(of(does("put alarm ")), "no notification came from alarm %s "+d.off())
	say(of(Item.hears), "events did not reach relight through %s "+d.off()+"; the next sweep restores what they were about, or at once: relight backfill")
	if say(of(does("create topic ")), "alarms and messages to topic %s reached nobody "+d.off()) > 0 {
		d.Lost[len(d.Lost)-1] += ", and subscribers have to confirm again"
	}
}

// toDo says what to do, as lines. It names only commands whose values cannot be taken
// for a part of a command.
func (d *Document) toDo() (planned, attack []string) {
	if len(d.Causes) == 0 || d.daily {
		return nil, nil
	}
	switch {
	case d.Outcome == OutcomeCreated && len(d.Notices) == 0:
		return []string{"do nothing"}, nil
	case len(d.Failed)+len(d.Remaining)+len(d.Unread) > 0:
		planned = []string{"relight keeps trying, so fix what the lines above name, or exempt it in the configuration"}
	case len(d.Postponed) > 0:
		return []string{"do nothing, because relight restores it at the end of the pause; to end it now run: relight resume"}, d.attack()
	case len(d.Findings) > 0:
		planned = []string{"the lines above say how to accept the change, where relight would report it again"}
	default:
		planned = []string{"do nothing"}
	}
	planned = append(planned, `before the next such change run: relight pause --for 2h --reason "…"`)
	return planned, d.attack()
}

func (d *Document) attack() []string {
	since := d.Causes[0].Time.UTC().Add(-time.Hour).Format("2006-01-02T15:04Z")
	region := ""
	if len(d.Regions) == 1 && plainWord.MatchString(d.Regions[0]) {
		region = " --region " + d.Regions[0]
	}
	who := d.Causes[0].Actor
	if len(d.Actors) > 0 {
		who = d.Actors[0]
	}
	lookup := func(key, value string) string {
		if !plainWord.MatchString(value) {
			value = "NAME"
		}
		return "aws cloudtrail lookup-events" + region + " --start-time " + since + " --lookup-attributes AttributeKey=" + key + ",AttributeValue=" + value
	}
	if who == "" {
		return []string{"find the caller: " + lookup("EventName", d.event())}
	}
	who, _, _ = strings.Cut(who, ", ")
	name := who[strings.LastIndex(who, "/")+1:]
	resource := strings.Split(who[strings.LastIndex(who, ":")+1:], "/")
	usable := len(resource) > 1 && plainWord.MatchString(name) && plainWord.MatchString(resource[1])
	switch {
	case strings.HasPrefix(who, "arn:") && resource[0] == "user" && usable:
		return []string{
			"stop this user: aws iam put-user-policy --user-name " + name + " --policy-name Stopped --policy-document " + denyAll(""),
			"see what else this user did: " + lookup("Username", name),
		}
	case strings.HasPrefix(who, "arn:") && resource[0] == "assumed-role" && usable:
		return []string{
			"end every session of role " + resource[1] + " up to now, running deployments too: aws iam put-role-policy --role-name " + resource[1] + " --policy-name RevokeOlderSessions --policy-document " +
				denyAll(`,"Condition":{"DateLessThan":{"aws:TokenIssueTime":"`+d.Time.Format(time.RFC3339)+`"}}`),
			"see what else this session did: " + lookup("Username", name),
		}
	case strings.HasSuffix(who, ":root") || strings.HasPrefix(who, "the root user"):
		return []string{
			"sign in as the root user, change the password, and delete access keys and unknown MFA devices",
			"see what else the root user did: " + lookup("Username", "root"),
		}
	}
	return []string{
		"see who made the same call: " + lookup("EventName", d.event()),
		"find out who that is and what else that caller may do here",
	}
}

// denyAll returns a policy that denies every action, quoted for a shell. An explicit deny
// also stops sessions and keys that exist. Source: IAM User Guide, "Policy evaluation
// logic" and "Revoke IAM role temporary security credentials".
func denyAll(condition string) string {
	return `'{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"` + condition + `}}'`
}

// event returns the name of the first call.
func (d *Document) event() string {
	for _, c := range d.Causes {
		if c.Actor != "" {
			return c.EventName
		}
	}
	if d.Causes[0].EventName == catalog.AlarmChange {
		return "DeleteAlarms"
	}
	return d.Causes[0].EventName
}

// reference says where the message comes from.
func (d *Document) reference() string {
	refs := []string{}
	for _, c := range d.Causes {
		if c.EventID != "" {
			refs = append(refs, c.EventID)
		}
	}
	said := ""
	if len(refs) > 0 {
		said = "event " + few(unique(refs), len(unique(refs)), 3) + ", "
	}
	said += "account " + d.Account + ", " + strings.Join(d.Regions, " ")
	if d.Version != "" {
		said += ", relight " + d.Version
	}
	return said
}

// codes returns the codes of a document's findings as text.
func codes(of []plan.Code) []string {
	out := make([]string, len(of))
	for i, c := range of {
		out[i] = string(c)
	}
	return out
}
