package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/catalog"
)

// The lists of accounts decide first, then the excluded units, then the others. An account
// of which the lists alone do not decide is known to be guarded only with its units.
func TestGuards(t *testing.T) {
	const hub, account, listed, excluded = "111122223333", "444455556666", "555566667777", "777788889999"
	const root, unit, below = "r-a1b2", "ou-a1b2-c3d4e5f6", "ou-a1b2-00000000"
	all := catalog.Organization{ID: "o-a1b2c3d4e5", Hub: hub}
	with := func(change func(*catalog.Organization)) catalog.Organization {
		o := all
		change(&o)
		return o
	}
	accounts := with(func(o *catalog.Organization) { o.Accounts = []string{listed} })
	but := with(func(o *catalog.Organization) { o.ExcludeAccounts = []string{excluded} })
	units := with(func(o *catalog.Organization) { o.OUs, o.Accounts = []string{unit}, []string{listed} })
	butUnits := with(func(o *catalog.Organization) {
		o.ExcludeOUs, o.ExcludeAccounts, o.Accounts, o.OUs = []string{below}, []string{excluded}, []string{listed}, []string{root}
	})
	alsoBut := with(func(o *catalog.Organization) { o.ExcludeOUs = []string{below} })
	tests := []struct {
		name           string
		of             catalog.Organization
		account, above string
		guards, known  bool
	}{
		{"no organisation", catalog.Organization{}, hub, "", false, true},
		{"all", all, account, root, true, true},
		{"all, the hub", all, hub, root, true, true},
		{"listed", accounts, listed, root, true, true},
		{"not listed", accounts, account, root, false, true},
		{"the hub, not listed", accounts, hub, root, true, true},
		{"excluded", but, excluded, root, false, true},
		{"not excluded", but, account, root, true, true},
		{"in the unit", units, account, root + " " + unit, true, false},
		{"below the unit", units, account, root + " " + unit + " " + below, true, false},
		{"in another unit", units, account, root + " " + below, false, false},
		{"listed, in another unit", units, listed, root, true, true},
		{"the hub, in another unit", units, hub, root, true, true},
		{"in an excluded unit", butUnits, account, root + " " + unit + " " + below, false, false},
		{"listed, in an excluded unit", butUnits, listed, root + " " + below, true, true},
		{"excluded, in a unit", butUnits, excluded, root, false, true},
		{"beside the excluded unit", alsoBut, account, root + " " + unit, true, false},
		{"in the only excluded unit", alsoBut, account, root + " " + below, false, false},
	}
	for _, tt := range tests {
		if got := tt.of.Guards(tt.account, strings.Fields(tt.above)...); got != tt.guards {
			t.Errorf("%s: guarded %t", tt.name, got)
		}
		if got, known := tt.of.Lists(tt.account); known != tt.known || known && got != tt.guards {
			t.Errorf("%s: the lists say %t, known %t", tt.name, got, known)
		}
	}
}

// A guarded account has what the template makes there and nothing of the hub's: what the
// configuration names in the hub's account stands for the same name in each account, and
// what cannot have the same name in each is left out.
func TestGuarded(t *testing.T) {
	const hub, account = "111122223333", "444455556666"
	at := func(of, service, resource string) string { return "arn:aws:" + service + ":" + of + ":" + resource }
	stream := catalog.Destined{ARN: at(hub, "firehose:eu-west-1", "deliverystream/lights"), Role: at(hub, "iam:", "role/firehose"), CrossAccountRole: at(hub, "iam:", "role/receives")}
	d := catalog.Desired{
		Baseline: catalog.Baseline{
			Prefix: "acme", Boundary: at(hub, "iam:", "policy/bound"),
			Trail:           catalog.TrailSpec{Name: at(hub, "cloudtrail:eu-west-1", "trail/audit"), Bucket: "b", KeyARN: at(hub, "kms:eu-west-1", "key/3"), RoleARN: at(hub, "iam:", "role/trail")},
			FlowLogs:        catalog.FlowLogSpec{LogGroup: "flows", To: stream, Chosen: map[catalog.ResourceType]catalog.Selection{catalog.Subnet: {To: stream}}},
			KMSKeys:         map[string]string{"eu-west-1": at(hub, "kms:eu-west-1", "key/1"), "us-east-1": at(account, "kms:us-east-1", "key/2")},
			FlowLogControls: []catalog.Control{{ID: "rejected"}}, StackAlarms: []catalog.StackAlarm{{ID: "dead"}},
			Adopt:     catalog.Adoption{Filters: []string{"theirs"}, Topics: []string{at(hub, "sns:eu-west-1", "ops")}, FlowLogs: []string{at(hub, "logs:eu-west-1", "log-group:flows"), "arn:aws:s3:::flows"}},
			LastHeard: []catalog.Subscriber{{Endpoint: "e"}}, FarTopic: at(hub, "sns:eu-west-1", "far"),
			Organization: catalog.Organization{ID: "o-a1b2c3d4e5", Hub: hub, Role: "acme-spoke"},
		},
		Deployment: catalog.Deployment{
			Account: hub, HomeRegion: "eu-west-1", Topic: "t", TopicKey: "k", LastResort: "l", DeliveryRole: "d", Schedule: "s", ScheduleRole: "r", Logs: "-0",
			Role: "f", SweepRole: "f", Queue: "q", DeadLetters: map[string]string{"dead": "q"},
		},
	}
	theirs := catalog.Destined{ARN: at(account, "firehose:eu-west-1", "deliverystream/lights"), Role: at(account, "iam:", "role/firehose"), CrossAccountRole: stream.CrossAccountRole}
	want := catalog.Desired{
		Baseline: catalog.Baseline{
			Prefix: "acme", Boundary: at(account, "iam:", "policy/bound"),
			Trail:        catalog.TrailSpec{Name: at(account, "cloudtrail:eu-west-1", "trail/audit"), RoleARN: at(account, "iam:", "role/trail")},
			FlowLogs:     catalog.FlowLogSpec{LogGroup: "flows", To: theirs, Chosen: map[catalog.ResourceType]catalog.Selection{catalog.Subnet: {To: theirs}}},
			KMSKeys:      map[string]string{"us-east-1": at(account, "kms:us-east-1", "key/2")},
			Adopt:        catalog.Adoption{Filters: []string{"theirs"}, Topics: []string{at(account, "sns:eu-west-1", "ops")}, FlowLogs: []string{at(account, "logs:eu-west-1", "log-group:flows"), "arn:aws:s3:::flows"}},
			Organization: d.Organization, Member: account,
			MemberKeys: []string{catalog.KeyKMSKeys, catalog.KeyFarTopic, catalog.KeyRejectAlarm, catalog.KeyToStream, catalog.KeyToAccount, catalog.KeyOrganization},
		},
		Deployment: catalog.Deployment{
			Account: account, HomeRegion: "eu-west-1", Topic: at(account, "sns:eu-west-1", "acme-alarms"),
			DeliveryRole: at(account, "iam:", "role/acme-delivery"), Role: at(account, "iam:", "role/acme-spoke"),
		},
	}
	before := d.FlowLogs.Chosen[catalog.Subnet].To
	if diff := cmp.Diff(want, d.Guarded(account)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.FlowLogs.Chosen[catalog.Subnet].To != before || len(d.KMSKeys) != 2 || d.Adopt.Topics[0] != at(hub, "sns:eu-west-1", "ops") {
		t.Error("the hub's desired state changed")
	}
	if got := d.Guarded(account).AdoptedMemory(); got != "/acme/memory/"+account+"/adopted" {
		t.Errorf("it remembers in %s", got)
	}
	if in := d.Guarded(account); in.Sweeps() {
		t.Error("it takes itself for the sweep")
	}
}
