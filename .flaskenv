FLASK_APP=proman
