package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Limits of IAM. Source: IAM User Guide, "IAM and AWS STS quotas".
const (
	mostIAM            = 1000 // items of a page; IAM API Reference, MaxItems
	usualIAM           = 100
	attachedPolicies   = 10
	policyVersions     = 5
	flowLogService     = "vpc-flow-logs.amazonaws.com"
	noSuchEntity       = "NoSuchEntity"
	malformedDocument  = "MalformedPolicyDocument"
	deliveryNeeds      = "logs:PutLogEvents"
	deliveryNeedsFirst = "logs:CreateLogStream"
)

// A role is an IAM role. It is replaced as a whole when it changes.
type role struct {
	arn, path, name string
	description     *string
	trust           string
	boundary        string // ARN
	tags            map[string]string
	inline          map[string]string // document by name
	attached        []string          // ARNs
	able            bool              // made by AddRole: may deliver, whatever its policies
}

// A policy is a managed policy.
type policy struct {
	arn, name string
	versions  map[string]string // document by ID
	current   string
	made      int // versions so far
}

// AddRole makes a role that services may assume and deliver with, as IAM does
// without region. For a new role that takes a while: the first n calls that
// pass it fail. Source: AWS IAM User Guide, "Troubleshoot IAM": changes are not
// always immediately visible.
func (a *Account) AddRole(arn string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	path, name := splitRole(arn)
	a.roles.write(a.lag)[name] = role{arn: arn, path: path, name: name, able: true, trust: trustOf(flowLogService)}
	a.unready[arn] = n
}

// RemoveRole removes a role, whatever is on it.
func (a *Account) RemoveRole(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, name := splitRole(arn)
	delete(a.roles.write(a.lag), name)
}

func splitRole(arn string) (path, name string) {
	_, resource, _ := strings.Cut(arn, ":role")
	cut := strings.LastIndex(resource, "/") + 1
	return resource[:cut], resource[cut:]
}

func trustOf(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"` + service + `"}}]}`
}

func (r role) state() any {
	return map[string]any{
		"path": r.path, "trust": r.trust, "description": r.description, "boundary": r.boundary,
		"tags": r.tags, "inline": r.inline, "attached": strings.Join(r.attached, " "),
	}
}

// assumable reports whether a service may assume a role now, and counts the
// calls that a new one takes.
func (a *Account) assumable(arn, service string) bool {
	r, exists := a.roleByARN(arn)
	if left := a.unready[arn]; exists && left > 0 {
		a.unready[arn]--
		return false
	}
	return exists && (r.able || trusts(r.trust, service))
}

func (a *Account) roleByARN(arn string) (role, bool) {
	_, name := splitRole(arn)
	r, exists := a.roles.now[name]
	return r, exists && r.arn == arn
}

// A docStatement is one of a policy document.
type docStatement struct {
	Effect    string
	Principal struct{ Service oneOrMore }
	Action    oneOrMore
	Resource  oneOrMore
}

type oneOrMore []string

// UnmarshalJSON reads a text or a list of them.
func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*o = oneOrMore{""}
		return json.Unmarshal(raw, &(*o)[0])
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

func docStatements(document string) []docStatement {
	var many struct{ Statement []docStatement }
	if json.Unmarshal([]byte(document), &many) == nil {
		return many.Statement
	}
	var one struct{ Statement docStatement }
	_ = json.Unmarshal([]byte(document), &one) // it was checked when it was put
	return []docStatement{one.Statement}
}

func trusts(document, service string) bool {
	return slices.ContainsFunc(docStatements(document), func(s docStatement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Principal.Service, service)
	})
}

// says reports whether a document has a statement of an effect about an action
// on a resource. Conditions are taken to hold.
func says(document, effect, action, resource string) bool {
	matches := func(patterns []string, s string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			expr := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(p))
			return regexp.MustCompile("(?i)^" + expr + "$").MatchString(s)
		})
	}
	return slices.ContainsFunc(docStatements(document), func(s docStatement) bool {
		return s.Effect == effect && matches(s.Action, action) && matches(s.Resource, resource)
	})
}

// flowLogDelivers reports whether a flow log's role may write to its log group.
// Source: Amazon VPC User Guide, "Troubleshoot VPC Flow Logs", Access error: the
// role lacks permissions, or does not trust the flow logs service.
func (a *Account) flowLogDelivers(region string, fl ec2types.FlowLog) bool {
	group := groupOf(fl)
	if fl.DeliverLogsPermissionArn == nil || group == "" {
		return true
	}
	r, exists := a.roleByARN(*fl.DeliverLogsPermissionArn)
	if !exists || r.able {
		return exists
	}
	resource := "arn:aws:logs:" + region + ":" + a.ID + ":log-group:" + group + ":log-stream:eni"
	var documents []string
	documents = slices.AppendSeq(documents, maps.Values(r.inline))
	for _, arn := range r.attached {
		documents = append(documents, a.inForce(arn))
	}
	for _, action := range []string{deliveryNeedsFirst, deliveryNeeds} {
		in := func(effect string) bool {
			return slices.ContainsFunc(documents, func(d string) bool { return says(d, effect, action, resource) })
		}
		bounded := r.boundary != "" && (!says(a.inForce(r.boundary), "Allow", action, resource) || says(a.inForce(r.boundary), "Deny", action, resource))
		if !in("Allow") || in("Deny") || bounded {
			return false
		}
	}
	return trusts(r.trust, flowLogService)
}

// inForce returns the document of a managed policy's default version.
func (a *Account) inForce(arn string) string {
	p := a.policies[arn]
	if p == nil {
		return "{}"
	}
	return p.versions[p.current]
}

func iamRegion(opts []func(*iam.Options)) string {
	var o iam.Options
	for _, f := range opts {
		f(&o)
	}
	return o.Region
}

func iamPage(op string, marker *string, ask *int32) page {
	return page{op: op, token: marker, ask: ask, least: 1, most: mostIAM, usual: usualIAM, limit: "ValidationError", bad: "ValidationError"}
}

// encoded returns a document as IAM answers with it. Source: IAM API
// Reference, GetRolePolicy: URL-encoded compliant with RFC 3986.
func encoded(document string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

func checkDocument(op string, document *string) error {
	var doc struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(aws.ToString(document)), &doc) != nil || doc.Statement == nil {
		return refuse(op, malformedDocument, "Syntax errors in policy.")
	}
	return nil
}

// role returns a role to be read, or the error that there is none.
func (a *Account) role(op string, roles map[string]role, name *string) (role, error) {
	r, exists := roles[aws.ToString(name)]
	if !exists {
		return role{}, refuse(op, noSuchEntity, "The role with name %s cannot be found.", aws.ToString(name))
	}
	return r, nil
}

// changeRole carries out a call that changes a role.
func (a *Account) changeRole(ctx context.Context, op string, name *string, opts []func(*iam.Options), change func(*role) error) error {
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return err
	}
	was, err := a.role(op, a.roles.now, name)
	if err != nil {
		return err
	}
	was.inline, was.tags, was.attached = maps.Clone(was.inline), maps.Clone(was.tags), slices.Clone(was.attached)
	if was.inline == nil {
		was.inline = map[string]string{}
	}
	if err := change(&was); err != nil {
		return err
	}
	was.able = false
	a.roles.write(a.lag)[was.name] = was
	a.wrote(op, r, was.name)
	return nil
}

// CreateRole creates a role. A name is taken whatever its path. Source: IAM
// API Reference, CreateRole.
func (a *Account) CreateRole(ctx context.Context, in *iam.CreateRoleInput, opts ...func(*iam.Options)) (*iam.CreateRoleOutput, error) {
	const op = "CreateRole"
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if err := checkDocument(op, in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	name, path := aws.ToString(in.RoleName), aws.ToString(in.Path)
	if path == "" {
		path = "/"
	}
	boundary := aws.ToString(in.PermissionsBoundary)
	switch _, exists := a.roles.now[name]; {
	case exists:
		return nil, refuse(op, "EntityAlreadyExists", "Role with name %s already exists.", name)
	case boundary != "" && a.policies[boundary] == nil:
		return nil, refuse(op, noSuchEntity, "Scope ARN: %s does not exist or is not attachable.", boundary)
	case !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/"):
		return nil, refuse(op, "ValidationError", "The specified value for path is invalid.")
	}
	made := role{
		arn: "arn:aws:iam::" + a.ID + ":role" + path + name, path: path, name: name, description: in.Description,
		trust: *in.AssumeRolePolicyDocument, boundary: boundary, tags: map[string]string{}, inline: map[string]string{},
	}
	for _, t := range in.Tags {
		made.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	a.roles.write(a.lag)[name] = made
	a.wrote(op, r, name)
	return &iam.CreateRoleOutput{Role: describeRole(made)}, nil
}

func describeRole(r role) *types.Role {
	out := &types.Role{
		Arn: aws.String(r.arn), Path: aws.String(r.path), RoleName: aws.String(r.name), Description: r.description,
		AssumeRolePolicyDocument: encoded(r.trust),
	}
	for _, k := range slices.Sorted(maps.Keys(r.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(r.tags[k])})
	}
	if r.boundary != "" {
		out.PermissionsBoundary = &types.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: aws.String(r.boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
		}
	}
	return out
}

// GetRole describes a role, its tags and boundary included.
func (a *Account) GetRole(ctx context.Context, in *iam.GetRoleInput, opts ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	const op = "GetRole"
	_, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	r, err := a.role(op, a.roles.read(true), in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: describeRole(r)}, nil
}

// DeleteRole deletes a role that has no policies. Source: IAM API Reference,
// DeleteRole, DeleteConflict.
func (a *Account) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput, opts ...func(*iam.Options)) (*iam.DeleteRoleOutput, error) {
	const op = "DeleteRole"
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	was, err := a.role(op, a.roles.now, in.RoleName)
	if err != nil {
		return nil, err
	}
	if len(was.inline)+len(was.attached) > 0 {
		return nil, refuse(op, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	delete(a.roles.write(a.lag), was.name)
	a.wrote(op, r, was.name)
	return &iam.DeleteRoleOutput{}, nil
}

// TagRole puts tags on a role.
func (a *Account) TagRole(ctx context.Context, in *iam.TagRoleInput, opts ...func(*iam.Options)) (*iam.TagRoleOutput, error) {
	return &iam.TagRoleOutput{}, a.changeRole(ctx, "TagRole", in.RoleName, opts, func(r *role) error {
		if r.tags == nil {
			r.tags = map[string]string{}
		}
		for _, t := range in.Tags {
			r.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return nil
	})
}

// UntagRole takes tags off a role.
func (a *Account) UntagRole(ctx context.Context, in *iam.UntagRoleInput, opts ...func(*iam.Options)) (*iam.UntagRoleOutput, error) {
	return &iam.UntagRoleOutput{}, a.changeRole(ctx, "UntagRole", in.RoleName, opts, func(r *role) error {
		for _, k := range in.TagKeys {
			delete(r.tags, k)
		}
		return nil
	})
}

// UpdateAssumeRolePolicy replaces a role's trust policy.
func (a *Account) UpdateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput, opts ...func(*iam.Options)) (*iam.UpdateAssumeRolePolicyOutput, error) {
	const op = "UpdateAssumeRolePolicy"
	return &iam.UpdateAssumeRolePolicyOutput{}, a.changeRole(ctx, op, in.RoleName, opts, func(r *role) error {
		r.trust = aws.ToString(in.PolicyDocument)
		return checkDocument(op, in.PolicyDocument)
	})
}

// PutRolePermissionsBoundary sets a role's boundary, a policy that exists.
func (a *Account) PutRolePermissionsBoundary(ctx context.Context, in *iam.PutRolePermissionsBoundaryInput, opts ...func(*iam.Options)) (*iam.PutRolePermissionsBoundaryOutput, error) {
	const op = "PutRolePermissionsBoundary"
	return &iam.PutRolePermissionsBoundaryOutput{}, a.changeRole(ctx, op, in.RoleName, opts, func(r *role) error {
		r.boundary = aws.ToString(in.PermissionsBoundary)
		return a.knows(op, r.boundary)
	})
}

// DeleteRolePermissionsBoundary takes a role's boundary away.
func (a *Account) DeleteRolePermissionsBoundary(ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput, opts ...func(*iam.Options)) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	return &iam.DeleteRolePermissionsBoundaryOutput{}, a.changeRole(ctx, "DeleteRolePermissionsBoundary", in.RoleName, opts, func(r *role) error {
		r.boundary = ""
		return nil
	})
}

// PutRolePolicy puts an inline policy on a role.
func (a *Account) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput, opts ...func(*iam.Options)) (*iam.PutRolePolicyOutput, error) {
	const op = "PutRolePolicy"
	return &iam.PutRolePolicyOutput{}, a.changeRole(ctx, op, in.RoleName, opts, func(r *role) error {
		r.inline[aws.ToString(in.PolicyName)] = aws.ToString(in.PolicyDocument)
		return checkDocument(op, in.PolicyDocument)
	})
}

// DeleteRolePolicy deletes an inline policy of a role.
func (a *Account) DeleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput, opts ...func(*iam.Options)) (*iam.DeleteRolePolicyOutput, error) {
	const op = "DeleteRolePolicy"
	return &iam.DeleteRolePolicyOutput{}, a.changeRole(ctx, op, in.RoleName, opts, func(r *role) error {
		name := aws.ToString(in.PolicyName)
		if _, exists := r.inline[name]; !exists {
			return refuse(op, noSuchEntity, "The role policy with name %s cannot be found.", name)
		}
		delete(r.inline, name)
		return nil
	})
}

// GetRolePolicy returns an inline policy of a role.
func (a *Account) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput, opts ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	const op = "GetRolePolicy"
	_, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	r, err := a.role(op, a.roles.read(true), in.RoleName)
	if err != nil {
		return nil, err
	}
	document, exists := r.inline[aws.ToString(in.PolicyName)]
	if !exists {
		return nil, refuse(op, noSuchEntity, "The role policy with name %s cannot be found.", aws.ToString(in.PolicyName))
	}
	return &iam.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
}

// ListRolePolicies lists the names of a role's inline policies.
func (a *Account) ListRolePolicies(ctx context.Context, in *iam.ListRolePoliciesInput, opts ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error) {
	const op = "ListRolePolicies"
	_, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	r, err := a.role(op, a.roles.read(in.Marker == nil), in.RoleName)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for name := range r.inline {
		names[name] = name
	}
	list, marker, err := paged(a, iamPage(op, in.Marker, in.MaxItems), names)
	return &iam.ListRolePoliciesOutput{PolicyNames: list, Marker: marker, IsTruncated: marker != nil}, err
}

// AttachRolePolicy puts a managed policy on a role; one that is there stays.
func (a *Account) AttachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput, opts ...func(*iam.Options)) (*iam.AttachRolePolicyOutput, error) {
	const op = "AttachRolePolicy"
	return &iam.AttachRolePolicyOutput{}, a.changeRole(ctx, op, in.RoleName, opts, func(r *role) error {
		arn := aws.ToString(in.PolicyArn)
		switch {
		case slices.Contains(r.attached, arn):
			return nil
		case len(r.attached) == attachedPolicies:
			return refuse(op, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", attachedPolicies)
		}
		r.attached = append(r.attached, arn)
		slices.Sort(r.attached)
		return a.knows(op, arn)
	})
}

// DetachRolePolicy takes a managed policy off a role.
func (a *Account) DetachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput, opts ...func(*iam.Options)) (*iam.DetachRolePolicyOutput, error) {
	const op = "DetachRolePolicy"
	return &iam.DetachRolePolicyOutput{}, a.changeRole(ctx, op, in.RoleName, opts, func(r *role) error {
		i := slices.Index(r.attached, aws.ToString(in.PolicyArn))
		if i < 0 {
			return refuse(op, noSuchEntity, "Policy %s was not found.", aws.ToString(in.PolicyArn))
		}
		r.attached = slices.Delete(r.attached, i, i+1)
		return nil
	})
}

// ListAttachedRolePolicies lists the managed policies on a role.
func (a *Account) ListAttachedRolePolicies(ctx context.Context, in *iam.ListAttachedRolePoliciesInput, opts ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
	const op = "ListAttachedRolePolicies"
	_, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	r, err := a.role(op, a.roles.read(in.Marker == nil), in.RoleName)
	if err != nil {
		return nil, err
	}
	attached := map[string]types.AttachedPolicy{}
	for _, arn := range r.attached {
		attached[arn] = types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(arn[strings.LastIndex(arn, "/")+1:])}
	}
	list, marker, err := paged(a, iamPage(op, in.Marker, in.MaxItems), attached)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: list, Marker: marker, IsTruncated: marker != nil}, err
}

// knows returns an error unless a managed policy exists.
func (a *Account) knows(op, arn string) error {
	if a.policies[arn] == nil {
		return refuse(op, noSuchEntity, "Policy %s does not exist or is not attachable.", arn)
	}
	return nil
}

// CreatePolicy creates a managed policy, whose first version is in force.
func (a *Account) CreatePolicy(ctx context.Context, in *iam.CreatePolicyInput, opts ...func(*iam.Options)) (*iam.CreatePolicyOutput, error) {
	const op = "CreatePolicy"
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if err := checkDocument(op, in.PolicyDocument); err != nil {
		return nil, err
	}
	p := &policy{
		arn: "arn:aws:iam::" + a.ID + ":policy/" + aws.ToString(in.PolicyName), name: aws.ToString(in.PolicyName),
		versions: map[string]string{"v1": *in.PolicyDocument}, current: "v1", made: 1,
	}
	if a.policies[p.arn] != nil {
		return nil, refuse(op, "EntityAlreadyExists", "A policy called %s already exists.", p.name)
	}
	a.policies[p.arn] = p
	a.wrote(op, r, p.arn)
	return &iam.CreatePolicyOutput{Policy: describePolicy(p)}, nil
}

func describePolicy(p *policy) *types.Policy {
	return &types.Policy{Arn: aws.String(p.arn), PolicyName: aws.String(p.name), DefaultVersionId: aws.String(p.current)}
}

// DeletePolicy deletes a managed policy that is on no role.
func (a *Account) DeletePolicy(ctx context.Context, in *iam.DeletePolicyInput, opts ...func(*iam.Options)) (*iam.DeletePolicyOutput, error) {
	const op = "DeletePolicy"
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(in.PolicyArn)
	if err := a.knows(op, arn); err != nil {
		return nil, err
	}
	for _, r := range a.roles.now {
		if slices.Contains(r.attached, arn) || r.boundary == arn {
			return nil, refuse(op, "DeleteConflict", "Cannot delete a policy attached to entities.")
		}
	}
	if len(a.policies[arn].versions) > 1 {
		return nil, refuse(op, "DeleteConflict", "This policy has more than one version.")
	}
	delete(a.policies, arn)
	a.wrote(op, r, arn)
	return &iam.DeletePolicyOutput{}, nil
}

// GetPolicy describes a managed policy.
func (a *Account) GetPolicy(ctx context.Context, in *iam.GetPolicyInput, opts ...func(*iam.Options)) (*iam.GetPolicyOutput, error) {
	const op = "GetPolicy"
	_, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	if err := a.knows(op, aws.ToString(in.PolicyArn)); err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: describePolicy(a.policies[*in.PolicyArn])}, nil
}

// GetPolicyVersion returns a version of a managed policy with its document.
func (a *Account) GetPolicyVersion(ctx context.Context, in *iam.GetPolicyVersionInput, opts ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error) {
	const op = "GetPolicyVersion"
	_, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn, id := aws.ToString(in.PolicyArn), aws.ToString(in.VersionId)
	if err := a.knows(op, arn); err != nil {
		return nil, err
	}
	document, exists := a.policies[arn].versions[id]
	if !exists {
		return nil, refuse(op, noSuchEntity, "Policy %s version %s does not exist.", arn, id)
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{
		VersionId: in.VersionId, Document: encoded(document), IsDefaultVersion: a.policies[arn].current == id,
	}}, nil
}

// CreatePolicyVersion adds a version to a managed policy, which has five at
// most, and puts it in force only if asked to.
func (a *Account) CreatePolicyVersion(ctx context.Context, in *iam.CreatePolicyVersionInput, opts ...func(*iam.Options)) (*iam.CreatePolicyVersionOutput, error) {
	const op = "CreatePolicyVersion"
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(in.PolicyArn)
	if err := a.knows(op, arn); err != nil {
		return nil, err
	}
	if err := checkDocument(op, in.PolicyDocument); err != nil {
		return nil, err
	}
	p := a.policies[arn]
	if len(p.versions) == policyVersions {
		return nil, refuse(op, "LimitExceeded", "A managed policy can have up to %d versions.", policyVersions)
	}
	p.made++
	id := fmt.Sprintf("v%d", p.made)
	p.versions[id] = *in.PolicyDocument
	if in.SetAsDefault {
		p.current = id
	}
	a.wrote(op, r, arn)
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{VersionId: aws.String(id), IsDefaultVersion: in.SetAsDefault}}, nil
}

// SetDefaultPolicyVersion puts a version of a managed policy in force.
func (a *Account) SetDefaultPolicyVersion(ctx context.Context, in *iam.SetDefaultPolicyVersionInput, opts ...func(*iam.Options)) (*iam.SetDefaultPolicyVersionOutput, error) {
	const op = "SetDefaultPolicyVersion"
	r, end, err := a.begin(ctx, op, iamRegion(opts))
	defer end()
	if err != nil {
		return nil, err
	}
	arn, id := aws.ToString(in.PolicyArn), aws.ToString(in.VersionId)
	if err := a.knows(op, arn); err != nil {
		return nil, err
	}
	if _, exists := a.policies[arn].versions[id]; !exists {
		return nil, refuse(op, noSuchEntity, "Policy %s version %s does not exist.", arn, id)
	}
	a.policies[arn].current = id
	a.wrote(op, r, arn)
	return &iam.SetDefaultPolicyVersionOutput{}, nil
}
