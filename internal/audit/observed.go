// Package audit walks the chain that an auditor walks: from the trail to somebody who
// receives the alarm, and from each VPC to its flow log. It says which link of which
// chain is broken, with the evidence, and what repairs it. It reads nothing: it judges
// what was observed, with the planner's own rules.
package audit

import (
	"time"

	"github.com/relight-aws/relight/internal/plan"
)

// Observed is what an audit reads of an account.
type Observed struct {
	Account string // 12 digits
	Home    string // the region that the trail belongs to
	Time    time.Time

	Choice    plan.TrailChoice
	Trails    []plan.Trail
	Health    plan.Healths // of the trail that is audited
	LogGroup  string       // name; "" if no trail delivers to one of this account and region
	Exists    bool         // the log group
	Filters   []plan.Filter
	Alarms    map[string]plan.Alarm // by name
	Topics    map[string]plan.Topic // by ARN
	Receivers map[string]string     // by topic: protocol and endpoint of a subscription that receives everything

	Regions []Region
	Unread  []Unread
}

// A Region is what an audit reads of one region.
type Region struct {
	Name      string
	VPCs      []plan.Network
	LogGroups map[string]plan.LogGroup // those that flow logs deliver to, by name

	Transit       []TransitGateway
	TransitUnread string // why the transit gateways are not known
}

// An Unread is a call that failed, so that links are unknown.
type Unread struct {
	Link    Link
	Region  string
	Subject string // what was to be read: a topic, say; "" for all
	Action  string // the permission that is missing, "ec2:DescribeVpcs", or that the call needs
	Error   string
}
