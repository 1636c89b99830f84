"""Where the project's addresses lead."""


def test_the_root_leads_to_the_admin_site(client):
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/admin/")
