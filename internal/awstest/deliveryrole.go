package awstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Limits of IAM. Source: IAM User Guide, "IAM and AWS STS quotas".
const (
	mostIAM            = 1000 // items in a page; IAM API Reference, MaxItems
	usualIAM           = 100
	attachedPolicies   = 10
	policyVersions     = 5
	inlineChars        = 10240 // of all inline policies of a role, without white space
	flowLogService     = "vpc-flow-logs.amazonaws.com"
	noSuchEntity       = "NoSuchEntity"
	malformedDocument  = "MalformedPolicyDocument"
	deliveryNeeds      = "logs:PutLogEvents"
	deliveryNeedsFirst = "logs:CreateLogStream"
)

// A role is an IAM role. A change replaces it as a whole.
type role struct {
	arn, path, name string
	description     *string
	trust           string
	boundary        string // ARN
	tags            map[string]string
	inline          map[string]string // documents by name
	attached        []string          // ARNs
	able            bool              // made by AddRole: may deliver, whatever its policies are
	created         time.Time
}

// A policy is a managed policy.
type policy struct {
	arn, name string
	versions  map[string]string // documents by ID
	current   string
	made      int // number of versions made so far
	tags      []types.Tag
}

// AddRole makes a role that services may assume and deliver with. A role has no
// region. IAM needs time to propagate a new role: the first n calls that pass
// the role fail. Source: AWS IAM User Guide, "Troubleshoot IAM": changes are
// not always immediately visible.
func (a *Account) AddRole(arn string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	path, name := splitRole(arn)
	a.roles.write(a.lag)[name] = role{arn: arn, path: path, name: name, able: true, trust: trustOf(flowLogService)}
	a.unready[arn] = n
}

// RemoveRole removes a role with all its policies.
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
// calls while a new role propagates.
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

// A docStatement is one statement of a policy document. The account reads
// policies itself and does not share internal/iampolicy, so that its verdict is
// a second opinion about AWS.
type docStatement struct {
	Effect    string
	Principal struct{ Service oneOrMore }
	Action    oneOrMore
	Resource  oneOrMore
}

type oneOrMore []string

// UnmarshalJSON reads one text or a list of texts.
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
	_ = json.Unmarshal([]byte(document), &one) // it was checked when it was written
	return []docStatement{one.Statement}
}

func trusts(document, service string) bool {
	return slices.ContainsFunc(docStatements(document), func(s docStatement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Principal.Service, service)
	})
}

// says reports whether a document has a statement with this effect on an action
// and a resource. It assumes that conditions are met.
func says(document, effect, action, resource string) bool {
	matches := func(patterns []string, s string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(s)) })
	}
	return slices.ContainsFunc(docStatements(document), func(s docStatement) bool {
		return s.Effect == effect && matches(s.Action, action) && matches(s.Resource, resource)
	})
}

// like reports whether a text matches a pattern with the wildcards * and ?. Where
// the text after a * does not match, only the last * takes one character more.
func like(pattern, s string) bool {
	p, i := 0, 0
	star, from := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// flowLogDelivers reports whether a flow log's role may write to its log group.
// Source: Amazon VPC User Guide, "Troubleshoot VPC Flow Logs", Access error:
// the role lacks permissions, or does not trust the flow logs service.
func (a *Account) flowLogDelivers(region string, fl ec2types.FlowLog) bool {
	group := groupOf(fl)
	if fl.DeliverLogsPermissionArn == nil || group == "" {
		return a.unreachable(fl) == ""
	}
	return a.mayDeliver(*fl.DeliverLogsPermissionArn, flowLogService, a.arn("logs", region, "log-group:"+group+":log-stream:eni"))
}

// mayDeliver reports whether a service may write to a log stream with a role.
func (a *Account) mayDeliver(roleARN, service, resource string) bool {
	r, exists := a.roleByARN(roleARN)
	if !exists || r.able {
		return exists
	}
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
	return trusts(r.trust, service)
}

// inForce returns the document of a managed policy's default version.
func (a *Account) inForce(arn string) string {
	p := a.policies[arn]
	if p == nil {
		return "{}"
	}
	return p.versions[p.current]
}

func iamPage(marker *string, ask *int32) page {
	return page{token: marker, ask: ask, least: 1, most: mostIAM, usual: usualIAM, limit: "ValidationError", bad: "ValidationError"}
}

// encoded returns a document as IAM returns it. Source: IAM API Reference,
// GetRolePolicy: URL-encoded compliant with RFC 3986.
func encoded(document string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

func checkDocument(document *string) error {
	var doc struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(aws.ToString(document)), &doc) != nil || doc.Statement == nil {
		return refuse(malformedDocument, "Syntax errors in policy.")
	}
	return nil
}

// roleIn returns a role for reading, or the error that the role does not exist.
func roleIn(roles map[string]role, name *string) (role, error) {
	r, exists := roles[aws.ToString(name)]
	if !exists {
		return role{}, refuse(noSuchEntity, "The role with name %s cannot be found.", aws.ToString(name))
	}
	return r, nil
}

// changeRole carries out a call that changes a role.
func (c *request) changeRole(name *string, change func(*role) error) error {
	was, err := roleIn(c.roles.now, name)
	if err != nil {
		return err
	}
	if left := c.unseen[was.name]; left > 0 && c.doubts(newRoleFound) {
		c.unseen[was.name] = left - 1
		return refuse(noSuchEntity, "The role with name %s cannot be found.", was.name)
	}
	delete(c.unseen, was.name)
	was.inline, was.tags, was.attached = maps.Clone(was.inline), maps.Clone(was.tags), slices.Clone(was.attached)
	if was.inline == nil {
		was.inline = map[string]string{}
	}
	if err := change(&was); err != nil {
		return err
	}
	was.able = false
	c.roles.write(c.slow(roleReadsAtOnce, 2))[was.name] = was
	c.wrote(was.name)
	return nil
}

// createRole creates a role. A name is unique across all paths. Source: IAM API
// Reference, CreateRole.
func createRole(c *request, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := checkDocument(in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	name, path := *in.RoleName, aws.ToString(in.Path)
	if path == "" {
		path = "/"
	}
	boundary := aws.ToString(in.PermissionsBoundary)
	switch _, exists := c.roles.now[name]; {
	case exists:
		return nil, refuse("EntityAlreadyExists", "Role with name %s already exists.", name)
	case len(in.Tags) > 0 && c.denied["TagRole"]: // IAM User Guide, "Tag IAM roles": permissions required
		return nil, refuse(deniedCode(iam.ServiceID), notAuthorized, "iam:TagRole")
	case boundary != "" && c.denied["PutRolePermissionsBoundary"]: // assumed; a policy may also require or deny iam:PermissionsBoundary
		return nil, refuse(deniedCode(iam.ServiceID), notAuthorized, "iam:PutRolePermissionsBoundary")
	case boundary != "" && c.policies[boundary] == nil:
		return nil, refuse(noSuchEntity, "Scope ARN: %s does not exist or is not attachable.", boundary)
	case !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/"):
		return nil, refuse("ValidationError", "The specified value for path is invalid.")
	}
	made := role{
		arn: c.arn("iam", "", "role"+path+name), path: path, name: name, description: in.Description, created: c.now(),
		trust: *in.AssumeRolePolicyDocument, boundary: boundary, tags: map[string]string{}, inline: map[string]string{},
	}
	for _, t := range in.Tags {
		made.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	c.roles.write(c.slow(roleReadsAtOnce, 2))[name] = made
	c.unseen[name] = 2
	c.wrote(name)
	return &iam.CreateRoleOutput{Role: describeRole(made)}, nil
}

func describeRole(r role) *types.Role {
	out := &types.Role{
		Arn: aws.String(r.arn), Path: aws.String(r.path), RoleName: aws.String(r.name), Description: r.description,
		AssumeRolePolicyDocument: encoded(r.trust), CreateDate: aws.Time(r.created),
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

// getRole describes a role, including its tags and boundary.
func getRole(c *request, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := roleIn(c.roles.read(true), in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: describeRole(r)}, nil
}

// deleteRole deletes a role that has no policies. Source: IAM API Reference,
// DeleteRole, DeleteConflict.
func deleteRole(c *request, in *iam.DeleteRoleInput) error {
	was, err := roleIn(c.roles.now, in.RoleName)
	if err != nil {
		return err
	}
	if len(was.inline)+len(was.attached) > 0 {
		return refuse("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	delete(c.roles.write(c.slow(roleReadsAtOnce, 2)), was.name)
	c.wrote(was.name)
	return nil
}

// tagRole adds tags to a role.
func tagRole(c *request, in *iam.TagRoleInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		if r.tags == nil {
			r.tags = map[string]string{}
		}
		for _, t := range in.Tags {
			r.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		return nil
	})
}

// untagRole removes tags from a role.
func untagRole(c *request, in *iam.UntagRoleInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		for _, k := range in.TagKeys {
			delete(r.tags, k)
		}
		return nil
	})
}

// updateAssumeRolePolicy replaces a role's trust policy.
func updateAssumeRolePolicy(c *request, in *iam.UpdateAssumeRolePolicyInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		r.trust = *in.PolicyDocument
		return checkDocument(in.PolicyDocument)
	})
}

// putRolePermissionsBoundary sets a role's boundary to a policy that exists.
func putRolePermissionsBoundary(c *request, in *iam.PutRolePermissionsBoundaryInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		r.boundary = *in.PermissionsBoundary
		return c.knows(r.boundary)
	})
}

// deleteRolePermissionsBoundary removes a role's boundary.
func deleteRolePermissionsBoundary(c *request, in *iam.DeleteRolePermissionsBoundaryInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		r.boundary = ""
		return nil
	})
}

// putRolePolicy writes an inline policy of a role.
func putRolePolicy(c *request, in *iam.PutRolePolicyInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		r.inline[*in.PolicyName] = *in.PolicyDocument
		chars := 0
		for _, document := range r.inline {
			chars += len([]rune(strings.Join(strings.Fields(document), "")))
		}
		if chars > inlineChars {
			return refuse("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", inlineChars, r.name)
		}
		return checkDocument(in.PolicyDocument)
	})
}

// deleteRolePolicy deletes an inline policy of a role.
func deleteRolePolicy(c *request, in *iam.DeleteRolePolicyInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		name := *in.PolicyName
		if _, exists := r.inline[name]; !exists {
			return refuse(noSuchEntity, "The role policy with name %s cannot be found.", name)
		}
		delete(r.inline, name)
		return nil
	})
}

// getRolePolicy returns an inline policy of a role.
func getRolePolicy(c *request, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := roleIn(c.roles.read(true), in.RoleName)
	if err != nil {
		return nil, err
	}
	document, exists := r.inline[*in.PolicyName]
	if !exists {
		return nil, refuse(noSuchEntity, "The role policy with name %s cannot be found.", *in.PolicyName)
	}
	return &iam.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
}

// listRolePolicies lists the names of a role's inline policies.
func listRolePolicies(c *request, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := roleIn(c.roles.read(in.Marker == nil), in.RoleName)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for name := range r.inline {
		names[name] = name
	}
	list, marker, err := paged(c, iamPage(in.Marker, in.MaxItems), names)
	return &iam.ListRolePoliciesOutput{PolicyNames: list, Marker: marker, IsTruncated: marker != nil}, err
}

// attachRolePolicy attaches a managed policy to a role; it changes nothing if
// the policy is attached already.
func attachRolePolicy(c *request, in *iam.AttachRolePolicyInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		arn := *in.PolicyArn
		switch {
		case slices.Contains(r.attached, arn):
			return nil
		case len(r.attached) == attachedPolicies:
			return refuse("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", attachedPolicies)
		}
		r.attached = append(r.attached, arn)
		slices.Sort(r.attached)
		return c.knows(arn)
	})
}

// detachRolePolicy detaches a managed policy from a role.
func detachRolePolicy(c *request, in *iam.DetachRolePolicyInput) error {
	return c.changeRole(in.RoleName, func(r *role) error {
		i := slices.Index(r.attached, *in.PolicyArn)
		if i < 0 {
			return refuse(noSuchEntity, "Policy %s was not found.", *in.PolicyArn)
		}
		r.attached = slices.Delete(r.attached, i, i+1)
		return nil
	})
}

// listAttachedRolePolicies lists the managed policies of a role.
func listAttachedRolePolicies(c *request, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := roleIn(c.roles.read(in.Marker == nil), in.RoleName)
	if err != nil {
		return nil, err
	}
	attached := map[string]types.AttachedPolicy{}
	for _, arn := range r.attached {
		attached[arn] = types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(arn[strings.LastIndex(arn, "/")+1:])}
	}
	list, marker, err := paged(c, iamPage(in.Marker, in.MaxItems), attached)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: list, Marker: marker, IsTruncated: marker != nil}, err
}

// listEntitiesForPolicy lists the roles that a managed policy is attached to, or is
// the boundary of. Source: IAM API Reference, ListEntitiesForPolicy,
// PolicyUsageFilter: without it, all policies are returned.
func listEntitiesForPolicy(c *request, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	arn := *in.PolicyArn
	if err := c.knows(arn); err != nil {
		return nil, err
	}
	with := map[string]types.PolicyRole{}
	for name, r := range c.roles.read(in.Marker == nil) {
		attached := slices.Contains(r.attached, arn) && in.PolicyUsageFilter != types.PolicyUsageTypePermissionsBoundary
		bounds := r.boundary == arn && in.PolicyUsageFilter != types.PolicyUsageTypePermissionsPolicy
		if attached || bounds {
			with[name] = types.PolicyRole{RoleName: aws.String(name)}
		}
	}
	list, marker, err := paged(c, iamPage(in.Marker, in.MaxItems), with)
	return &iam.ListEntitiesForPolicyOutput{PolicyRoles: list, Marker: marker, IsTruncated: marker != nil}, err
}

// knows returns an error unless a managed policy exists.
func (c *request) knows(arn string) error {
	if c.policies[arn] == nil {
		return refuse(noSuchEntity, "Policy %s does not exist or is not attachable.", arn)
	}
	return nil
}

// createPolicy creates a managed policy, whose first version is the default.
func createPolicy(c *request, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	if err := checkDocument(in.PolicyDocument); err != nil {
		return nil, err
	}
	p := &policy{
		arn: c.arn("iam", "", "policy/"+*in.PolicyName), name: *in.PolicyName,
		versions: map[string]string{"v1": *in.PolicyDocument}, current: "v1", made: 1, tags: in.Tags,
	}
	if c.policies[p.arn] != nil {
		return nil, refuse("EntityAlreadyExists", "A policy called %s already exists.", p.name)
	}
	c.policies[p.arn] = p
	c.wrote(p.arn)
	return &iam.CreatePolicyOutput{Policy: describePolicy(p)}, nil
}

func describePolicy(p *policy) *types.Policy {
	return &types.Policy{Arn: aws.String(p.arn), PolicyName: aws.String(p.name), DefaultVersionId: aws.String(p.current), Tags: p.tags}
}

// deletePolicy deletes a managed policy that is attached to no role.
func deletePolicy(c *request, in *iam.DeletePolicyInput) error {
	arn := *in.PolicyArn
	if err := c.knows(arn); err != nil {
		return err
	}
	for _, r := range c.roles.now {
		if slices.Contains(r.attached, arn) || r.boundary == arn {
			return refuse("DeleteConflict", "Cannot delete a policy attached to entities.")
		}
	}
	if len(c.policies[arn].versions) > 1 {
		return refuse("DeleteConflict", "This policy has more than one version.")
	}
	delete(c.policies, arn)
	c.wrote(arn)
	return nil
}

// getPolicy describes a managed policy.
func getPolicy(c *request, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	if err := c.knows(*in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: describePolicy(c.policies[*in.PolicyArn])}, nil
}

// getPolicyVersion returns a version of a managed policy with its document.
func getPolicyVersion(c *request, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	arn, id := *in.PolicyArn, *in.VersionId
	if err := c.knows(arn); err != nil {
		return nil, err
	}
	document, exists := c.policies[arn].versions[id]
	if !exists {
		return nil, refuse(noSuchEntity, "Policy %s version %s does not exist.", arn, id)
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{
		VersionId: in.VersionId, Document: encoded(document), IsDefaultVersion: c.policies[arn].current == id,
	}}, nil
}

// createPolicyVersion adds a version to a managed policy, which has at most
// five, and makes it the default only if the request says so.
func createPolicyVersion(c *request, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	arn := *in.PolicyArn
	if err := c.knows(arn); err != nil {
		return nil, err
	}
	if err := checkDocument(in.PolicyDocument); err != nil {
		return nil, err
	}
	p := c.policies[arn]
	if len(p.versions) == policyVersions {
		return nil, refuse("LimitExceeded", "A managed policy can have up to %d versions.", policyVersions)
	}
	p.made++
	id := fmt.Sprintf("v%d", p.made)
	p.versions[id] = *in.PolicyDocument
	if in.SetAsDefault {
		p.current = id
	}
	c.wrote(arn)
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &types.PolicyVersion{VersionId: aws.String(id), IsDefaultVersion: in.SetAsDefault}}, nil
}

// setDefaultPolicyVersion makes a version of a managed policy the default.
func setDefaultPolicyVersion(c *request, in *iam.SetDefaultPolicyVersionInput) error {
	arn, id := *in.PolicyArn, *in.VersionId
	if err := c.knows(arn); err != nil {
		return err
	}
	if _, exists := c.policies[arn].versions[id]; !exists {
		return refuse(noSuchEntity, "Policy %s version %s does not exist.", arn, id)
	}
	c.policies[arn].current = id
	c.wrote(arn)
	return nil
}

// listPolicyVersions lists the versions of a managed policy.
func listPolicyVersions(c *request, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	if err := c.knows(*in.PolicyArn); err != nil {
		return nil, err
	}
	out := &iam.ListPolicyVersionsOutput{}
	p := c.policies[*in.PolicyArn]
	for _, id := range slices.Sorted(maps.Keys(p.versions)) {
		out.Versions = append(out.Versions, types.PolicyVersion{VersionId: aws.String(id), IsDefaultVersion: id == p.current})
	}
	return out, nil
}

// deletePolicyVersion deletes a version that is not the default one. Source:
// IAM API Reference, DeletePolicyVersion.
func deletePolicyVersion(c *request, in *iam.DeletePolicyVersionInput) error {
	if err := c.knows(*in.PolicyArn); err != nil {
		return err
	}
	p, id := c.policies[*in.PolicyArn], *in.VersionId
	switch {
	case p.versions[id] == "":
		return refuse(noSuchEntity, "Policy %s version %s does not exist.", p.arn, id)
	case id == p.current:
		return refuse("DeleteConflict", "Cannot delete the default version of a policy.")
	}
	delete(p.versions, id)
	c.wrote(p.arn)
	return nil
}

// deliveryRoleOperations are the operations that this file answers.
var deliveryRoleOperations = []operation{
	handle(createRole),
	handle(getRole),
	act[iam.DeleteRoleOutput](deleteRole),
	act[iam.TagRoleOutput](tagRole),
	act[iam.UntagRoleOutput](untagRole),
	act[iam.UpdateAssumeRolePolicyOutput](updateAssumeRolePolicy),
	act[iam.PutRolePermissionsBoundaryOutput](putRolePermissionsBoundary),
	act[iam.DeleteRolePermissionsBoundaryOutput](deleteRolePermissionsBoundary),
	act[iam.PutRolePolicyOutput](putRolePolicy),
	act[iam.DeleteRolePolicyOutput](deleteRolePolicy),
	handle(getRolePolicy),
	handle(listRolePolicies),
	act[iam.AttachRolePolicyOutput](attachRolePolicy),
	act[iam.DetachRolePolicyOutput](detachRolePolicy),
	handle(listAttachedRolePolicies),
	handle(listEntitiesForPolicy),
	handle(createPolicy),
	act[iam.DeletePolicyOutput](deletePolicy),
	handle(getPolicy),
	handle(getPolicyVersion),
	handle(createPolicyVersion),
	act[iam.SetDefaultPolicyVersionOutput](setDefaultPolicyVersion),
	handle(listPolicyVersions),
	act[iam.DeletePolicyVersionOutput](deletePolicyVersion),
}
